import {
  type EpochLedger,
  type EpochLock,
  Failure,
  LEAST_RANK,
  type LogServerIdentity,
  type PartitionCursor,
} from '@parley/domain';
import {
  backoffMs,
  type Clock,
  type Log,
  type Metrics,
  type Service,
  singleFlight,
  systemClock,
} from '@parley/runtime';
import { epochKey, type Keys } from './keys.ts';
import { type LogStore, replies } from './log-store.ts';
import { type Constants, readScript, type Script } from './script.ts';

/** Mostly one round trip. */
const RETRY_AFTER_MS = 100;

/** An epoch as this process knows it: its scripts write on this server and in this epoch, or not at all. */
export interface Epoch {
  readonly epoch: number;
  readonly server: LogServerIdentity;
  readonly scripts: {
    readonly accept: Script;
    readonly change: Script;
    readonly amend: Script;
    readonly load: Script;
    readonly read: Script;
    readonly delivered: Script;
  };
}

interface EpochsOptions {
  readonly store: LogStore;
  readonly ledger: EpochLedger;
  readonly keys: Keys;
  readonly backlogMaxEntries: number;
  readonly log: Log;
  readonly metrics?: Pick<Metrics, 'counter' | 'gauge'>;
  readonly clock?: Clock;
}

/**
 * Keeps this process, the log store and Postgres agreed on one epoch.
 * The scripts that write carry the epoch *and* the server's replication id in their text, and run only where the epoch is marked: a
 * server that forgot lacks the epoch or the script, and one that was master, replica and master again has lost the mark (`open.lua`).
 */
export class Epochs implements Service {
  readonly name = 'epochs';
  /** Agrees again, and opens a new epoch when the store has forgotten. Single flight. */
  readonly renew: () => Promise<void>;
  readonly #options: EpochsOptions;
  readonly #clock: Clock;
  readonly #countChange: () => void;
  readonly #stopping = new AbortController();
  #current: Epoch | undefined;
  #agreeing: Promise<void> | undefined;
  #suspicious = false;

  constructor(options: EpochsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const flight = singleFlight(() => this.#renew());
    this.renew = () => flight(undefined);
    options.metrics?.gauge('log_epoch', 'The epoch of the message log as it was agreed last', {
      aggregator: 'max',
      collect: (gauge) => gauge.set(this.#current?.epoch ?? 0),
    });
    const changes = options.metrics?.counter(
      'log_epoch_changes_total',
      'Epochs that a thread saw begin after its first',
    );
    this.#countChange = () => changes?.inc();
  }

  /** Undefined before the first agreement. */
  get peek(): Epoch | undefined {
    return this.#current;
  }

  /** Throws a `Failure` `UNAVAILABLE` before the first agreement. */
  get current(): Epoch {
    if (!this.#current) {
      throw new Failure('UNAVAILABLE', 'The message log is not open yet.', { retryAfterMs: 1_000 });
    }
    return this.#current;
  }

  /**
   * The same, and `UNAVAILABLE` after each reconnect until it is agreed anew: what answers may be another server that has less of this
   * very epoch, and does not know that it is over.
   */
  get agreed(): Epoch {
    if (this.#suspicious || this.#agreeing) {
      throw new Failure('UNAVAILABLE', 'The message log has just come back.', { retryAfterMs: RETRY_AFTER_MS });
    }
    return this.current;
  }

  /** Resolves after the first attempt; when it failed, the others follow until one succeeds. */
  async run(): Promise<void> {
    this.#options.store.redis.on('ready', this.#keepTrying);
    if (!(await this.#try())) this.#keepTrying();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.store.redis.off('ready', this.#keepTrying);
    await this.#agreeing;
  }

  /** Also after a reconnect: whoever is behind the address now may be another server, or the same one with less in it. */
  readonly #keepTrying = (): void => {
    this.#suspicious = true;
    this.#agreeing ??= this.#agree().finally(() => {
      this.#agreeing = undefined;
    });
  };

  async #agree(): Promise<void> {
    const { signal } = this.#stopping;
    // Another reconnect in the meantime: the agreement may be with a server that is gone.
    while (this.#suspicious && !signal.aborted) {
      this.#suspicious = false;
      for (let failure = 1; !signal.aborted && !(await this.#try()); failure++) {
        await this.#clock.sleep(backoffMs(failure, { firstMs: 200, maxMs: 5_000 }), signal).catch(() => undefined);
      }
    }
  }

  async #try(): Promise<boolean> {
    try {
      await this.#check();
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'no agreement on the epoch yet');
      return false;
    }
  }

  async #check(): Promise<void> {
    const known = this.#current?.server;
    if (known) {
      const server = identityOf(await this.#options.store.read((redis) => redis.info()));
      if (isSame(known, server)) return;
    }
    await this.renew();
  }

  async #renew(): Promise<void> {
    const { ledger, log } = this.#options;
    const before = this.#current?.epoch;
    // The lock is held until the store has the epoch: two openers with commit and SET apart would chase each other.
    const next = await ledger.locked((lock) => this.#open(lock));
    this.#current = next;
    if (before !== undefined && next.epoch !== before) this.#countChange();
    if (next.epoch !== before) log.info({ epoch: next.epoch, ...next.server }, 'epoch agreed');
  }

  async #open(lock: EpochLock): Promise<Epoch> {
    const { store, keys } = this.#options;
    const [info, ...marks] = await store.read((redis) => {
      const pipeline = redis.pipeline().info();
      for (const stem of keys.stems) pipeline.get(epochKey(stem));
      for (const stem of keys.stems) pipeline.object('ENCODING', epochKey(stem));
      return replies(pipeline);
    });
    const server = identityOf(String(info));
    const opened = sameEpoch(lock, server, marks);
    const epoch = opened ?? (await lock.open(server, { lost: forgotten(lock, marks) }));
    if (opened === null) await this.#mark(epoch, server);
    const scripts = this.#scripts(epoch, server);
    await store.write((redis) => {
      const pipeline = redis.pipeline();
      for (const { text } of Object.values(scripts)) pipeline.script('LOAD', text);
      return replies(pipeline);
    });
    return { epoch, server, scripts };
  }

  /** Whoever is behind the address by now: only the server that the epoch was opened for takes it. */
  async #mark(epoch: number, server: LogServerIdentity): Promise<void> {
    const { store, keys } = this.#options;
    const { text } = readScript('open', { EPOCH: epoch, REPLID: server.replicationId });
    const marked = await store.write((redis) => {
      const pipeline = redis.pipeline();
      for (const stem of keys.stems) pipeline.eval(text, 1, epochKey(stem));
      return replies(pipeline);
    });
    if (marked.some((reply) => reply !== 'marked')) {
      throw new Failure('UNAVAILABLE', 'The message log has moved to another server.', { retryAfterMs: 1_000 });
    }
  }

  #scripts(epoch: number, server: LogServerIdentity): Epoch['scripts'] {
    const constants: Constants = {
      EPOCH: epoch,
      REPLID: server.replicationId,
      BACKLOG_MAX: this.#options.backlogMaxEntries,
      LEAST_RANK: LEAST_RANK['message.send'],
    };
    return {
      accept: readScript('accept', constants),
      change: readScript('change', constants),
      amend: readScript('amend', constants),
      load: readScript('load', constants),
      read: readScript('read', constants),
      delivered: readScript('delivered', constants),
    };
  }
}

/** The epoch that Postgres opened on this very server and that the server still has, marked, in every partition; null when there is none. */
function sameEpoch(lock: EpochLock, server: LogServerIdentity, marks: readonly unknown[]): number | null {
  const epoch = lock.cursors[0]?.epoch ?? 0;
  const everywhere = (cursor: PartitionCursor) => cursor.epoch === epoch;
  if (lock.restored || epoch === 0 || !lock.openedOn || !isSame(lock.openedOn, server)) return null;
  const partitions = lock.cursors.length;
  if (partitions * 2 !== marks.length || !lock.cursors.every(everywhere)) return null;
  return marks.every((mark, i) => mark === (i < partitions ? String(epoch) : 'raw')) ? epoch : null;
}

/** The store is in an epoch that Postgres does not know of: it was restored from a copy of before. */
function forgotten({ cursors }: EpochLock, marks: readonly unknown[]): boolean {
  const newest = Math.max(0, ...cursors.map((cursor) => cursor.epoch));
  return marks.some((mark) => Number(mark) > newest);
}

function isSame(a: LogServerIdentity, b: LogServerIdentity): boolean {
  return a.runId === b.runId && a.replicationId === b.replicationId;
}

function identityOf(info: string): LogServerIdentity {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const runId = field('run_id');
  const replicationId = field('master_replid');
  if (!runId || !replicationId) throw new Error('INFO does not name the server');
  if (field('role') !== 'master') {
    throw new Failure('UNAVAILABLE', 'The message log is on a replica.', { retryAfterMs: 1_000 });
  }
  return { runId, replicationId };
}
