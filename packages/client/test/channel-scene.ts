import type { Answer, ChannelEvent, Message, Position } from '@parley/protocol';
import { type ChannelSnapshot, ChannelView } from '../src/channel/channel-view.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { performOperation } from '../src/outbox/perform-operation.ts';
import { memoryOutboxStorage } from '../src/outbox/storage.ts';
import { People } from '../src/people.ts';
import { FakeApi } from './fake-server.ts';
import { ManualClock, settle } from './manual-clock.ts';

export type Page = Answer<'message.page'>;

/** One open channel, its server and its clock. */
export class ChannelScene {
  readonly clock = new ManualClock();
  readonly api = new FakeApi();
  readonly outbox: Outbox;
  readonly view: ChannelView;
  pages: (() => Page | Promise<Page>)[] = [];
  #ids = 0;

  constructor(selfId = 'me') {
    const parts = { api: this.api, clock: this.clock, random: () => 0.5, onProblem: () => undefined };
    this.outbox = new Outbox({
      ...parts,
      storage: memoryOutboxStorage(),
      newId: () => `m${++this.#ids}`,
      perform: performOperation(this.api),
    });
    this.api.handlers['user.get'] = () => [];
    this.api.handlers['message.page'] = () => this.pages.shift()?.() ?? page([]);
    const people = new People(parts);
    this.view = new ChannelView({
      ...parts,
      channelId: 'c',
      outbox: this.outbox,
      people,
      self: async () => selfId,
      onEvent: () => undefined,
    });
  }

  async open(event: Partial<Extract<ChannelEvent, { type: 'opened' }>> = {}): Promise<void> {
    await this.outbox.run();
    this.view.run();
    this.tell(opened(event));
    await settle();
  }

  tell(event: ChannelEvent, id = '5-0'): void {
    this.api.channelFeeds.at(-1)?.observer.onEvent(id, event);
  }

  create(message: Message): void {
    this.tell({ type: 'message.created', channelId: 'c', at: 1, message }, message.position);
  }

  get snapshot(): ChannelSnapshot {
    return this.view.store.getSnapshot();
  }

  get bodies(): string[] {
    return this.snapshot.messages.map((message) => message.body);
  }

  get marks(): string[] {
    return this.snapshot.messages.map((message) => message.mark);
  }
}

export const opened = (more: Partial<Extract<ChannelEvent, { type: 'opened' }>> = {}): ChannelEvent => ({
  type: 'opened',
  channelId: 'c',
  at: 1,
  epoch: 5,
  head: '5-0',
  persistedTo: null,
  holes: [],
  resumed: false,
  ...more,
});
export const page = (items: Message[], hasBefore = false): Page => ({ items, hasBefore, hasAfter: false });
export const persisted = (upTo: Position): ChannelEvent => ({
  type: 'message.persisted',
  channelId: 'c',
  at: 1,
  upTo,
  holes: [],
});
