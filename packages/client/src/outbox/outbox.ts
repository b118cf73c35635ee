import type { Position } from '@parley/protocol';
import type { Store } from '../store.ts';
import type { DurableOperation, OutboxEntry, OutboxItem } from './entry.ts';
import { type LaneOptions, OutboxLane } from './outbox-lane.ts';
import type { OutboxStorage } from './storage.ts';

export interface OutboxOptions extends LaneOptions {
  readonly storage: OutboxStorage;
  readonly newId: () => string;
  /** Told of what the outbox lives with: a storage that refuses. */
  readonly onProblem: (error: unknown) => void;
}

/** Told of operations that Postgres has, or that changed nothing. */
type SettledObserver = (items: readonly OutboxItem[]) => void;

/**
 * The third copy of what a user did: it keeps every durable operation until Postgres has it or the server refuses it for good, and repeats it
 * with the same id until then. In order per channel, one in flight: the next goes after the answer to the last. What was only
 * `accepted` stays here, because a log store that is lost takes it along.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<string, OutboxLane>();
  readonly #observers = new Map<string, Set<SettledObserver>>();
  #state: 'new' | 'running' | 'stopped' = 'new';
  #lastOrder = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier run left, in its order, and starts to send. Nothing is sent before. */
  async run(): Promise<void> {
    const stored = await this.#options.storage.load().catch((error: unknown) => {
      this.#options.onProblem(error);
      return [];
    });
    if (this.#state !== 'new') return;
    this.#state = 'running';
    for (const entry of stored) {
      // A clock that went back must not let what is new past what is old.
      this.#lastOrder = Math.max(this.#lastOrder, entry.order);
      // Whether it was sent before the reload is not known.
      this.#add({ ...entry, triedIn: entry.triedIn ?? 0 });
    }
    for (const lane of this.#lanes.values()) lane.run();
  }

  /** Sends nothing more. What is stored stays stored. */
  stop(): void {
    this.#state = 'stopped';
    for (const lane of this.#lanes.values()) lane.stop();
  }

  /** Stops and forgets everything: for signing out. */
  async wipe(): Promise<void> {
    this.stop();
    this.#lanes.clear();
    await this.#options.storage.clear();
  }

  /** The operations of a channel that are not settled, in order. */
  itemsOf(channelId: string): Store<readonly OutboxItem[]> {
    return this.#lane(channelId).items;
  }

  /** Calls `observer` when operations of a channel are settled, before they are gone from its items, until the returned function is called. */
  observe(channelId: string, observer: SettledObserver): () => void {
    const observers = this.#observers.get(channelId) ?? new Set();
    this.#observers.set(channelId, observers.add(observer));
    return () => {
      observers.delete(observer);
      if (observers.size === 0) this.#observers.delete(channelId);
    };
  }

  /** Keeps an operation and sends it when its turn comes. Returns its id. */
  enqueue(channelId: string, operation: DurableOperation): string {
    const { clock, newId } = this.#options;
    const id = newId();
    const order = this.#nextOrder();
    const entry = { id, channelId, order, createdAt: clock.now(), operation, triedIn: null, refusal: null };
    this.#store(entry);
    this.#add(entry);
    return id;
  }

  /** Sends a refused operation again, under its old id and after everything else. */
  retry(channelId: string, id: string): void {
    this.#lane(channelId).tell((line) => {
      const entry = line.retry(id, this.#nextOrder());
      if (entry) this.#store(entry);
      return [];
    });
  }

  /** Gives a refused operation up. One that may have been sent cannot be taken back: it stays. */
  discard(channelId: string, id: string): void {
    this.#lane(channelId).tell((line) => {
      if (line.discard(id)) this.#forget(id);
      return [];
    });
  }

  /** The connection is back: nothing waits any longer. */
  wake(): void {
    for (const lane of this.#lanes.values()) lane.wake();
  }

  /** The channel's partition is in this epoch. */
  sees(channelId: string, epoch: number): void {
    this.#lanes.get(channelId)?.sees(epoch);
  }

  /** A message was deleted: what waits for it to come again waits in vain. */
  messageDeleted(channelId: string, messageId: string): void {
    this.#lanes.get(channelId)?.deleted(messageId);
  }

  /** Everything of the mark's epoch up to it is in Postgres, except the holes. */
  markPersisted(channelId: string, upTo: Position, holes: readonly Position[]): void {
    // A lane of its own even when it is empty: the mark may arrive before the answer that tells the position.
    this.#lane(channelId).tell((line) => line.marked(upTo, holes));
  }

  /** The entry at this position did not come to be. `by`: where its twin stands; null: there is none. */
  markSuperseded(channelId: string, position: Position, by: Position | null): void {
    this.#lanes.get(channelId)?.tell((line) => line.superseded(position, by));
  }

  /** The server will never take this operation as it is. */
  markRejected(channelId: string, id: string, reason: string): void {
    this.#lanes.get(channelId)?.refuse(id, { code: 'INVALID', reason });
  }

  #lane(channelId: string): OutboxLane {
    const known = this.#lanes.get(channelId);
    if (known) return known;
    const lane = new OutboxLane(this.#options, {
      onSettled: (items) => {
        for (const item of items) this.#forget(item.id);
        for (const observer of this.#observers.get(channelId) ?? []) observer(items);
      },
      onRefused: (entry) => this.#store(entry),
    });
    this.#lanes.set(channelId, lane);
    if (this.#state === 'running') lane.run();
    return lane;
  }

  #add(entry: OutboxEntry): void {
    this.#lane(entry.channelId).tell((line) => {
      line.add(entry);
      return [];
    });
  }

  #nextOrder(): number {
    this.#lastOrder = Math.max(this.#options.clock.now(), this.#lastOrder + 1);
    return this.#lastOrder;
  }

  #store(entry: OutboxEntry): void {
    // After signing out nothing of this user may be written any more.
    if (this.#state === 'stopped') return;
    this.#options.storage.put(entry).catch(this.#options.onProblem);
  }

  #forget(id: string): void {
    this.#options.storage.remove(id).catch(this.#options.onProblem);
  }
}
