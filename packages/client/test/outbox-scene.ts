import type { OutboxEntry, OutboxItem } from '../src/outbox/entry.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { memoryOutboxStorage, type OutboxStorage } from '../src/outbox/storage.ts';
import { FakeLog, refusal } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';

export const CHANNEL = 'c';

/** An outbox, its clock and its server. `perform` is what becomes of a call; by default the server answers it. */
export class OutboxScene {
  readonly clock = new ManualClock();
  readonly server = new FakeLog();
  storage: OutboxStorage = memoryOutboxStorage();
  perform: (entry: OutboxEntry, input: Parameters<FakeLog['send']>[0]) => Promise<ReturnType<FakeLog['send']>>;
  outbox: Outbox;
  #ids = 0;

  constructor() {
    this.perform = async (_entry, input) => this.server.send(input);
    this.outbox = this.start();
  }

  /** Another outbox over the same storage, as after a reload. */
  start(): Outbox {
    this.outbox = new Outbox({
      perform: async (entry, op) => {
        const { operation, channelId, id: clientMsgId } = entry;
        if (operation.kind !== 'send') throw refusal('INVALID');
        return this.perform(entry, { ...operation.draft, channelId, clientMsgId, op });
      },
      storage: this.storage,
      clock: this.clock,
      random: () => 0.5,
      newId: () => `m${++this.#ids}`,
      onProblem: () => undefined,
    });
    return this.outbox;
  }

  send(body: string): string {
    return this.outbox.enqueue(CHANNEL, { kind: 'send', draft: { body } });
  }

  get items(): readonly OutboxItem[] {
    return this.outbox.itemsOf(CHANNEL).getSnapshot();
  }

  get states(): string[] {
    return this.items.map((item) => item.state);
  }

  /** The bodies of what is in the outbox. */
  get bodies(): string[] {
    return this.items.flatMap(({ operation }) => (operation.kind === 'send' ? operation.draft.body : []));
  }

  /** The bodies that reached the server, repetitions too. */
  get sent(): string[] {
    return this.server.calls.map((call) => call.body);
  }
}
