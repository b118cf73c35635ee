import { type ChannelView, Failure, positionAt, unreadOf } from '@parley/domain';
import type { ChannelSummary, InboxEvent, Message } from '@parley/protocol';
import { describe, expect, test } from 'vitest';
import { openInboxFeed } from '../src/feeds/inbox-feed.ts';
import { Reader, settle } from './feed-reader.ts';
import { ANN, BOB, CHANNEL, type Node, SUMMARY, World } from './feed-world.ts';

type Seen<T extends InboxEvent['type']> = Extract<InboxEvent, { type: T }>;

function summaryOf(view: ChannelView, lastMessage: Message | null): ChannelSummary {
  const { headPosition: head, readTo } = view;
  return { ...SUMMARY, head, readTo: positionAt(readTo), unread: unreadOf(view), lastMessage };
}

class Inbox extends Reader<InboxEvent> {
  of<T extends InboxEvent['type']>(type: T): Seen<T>[] {
    return this.events.flatMap(({ event }) => (event.type === type ? [event as Seen<T>] : []));
  }
}

interface InboxOptions {
  readonly clock?: { now(): number; sleep(ms: number): Promise<void> };
  /** Runs after the page was read, before it is handed over. */
  afterPage?(): void;
  readonly userId?: string;
}

function inbox(world: World, node: Node, options: InboxOptions = {}): Inbox {
  const { userId = BOB } = options;
  const read = (): ChannelSummary | null => {
    const view = world.view(userId);
    return view && view.rank !== null ? summaryOf(view, world.stored.messages.at(-1) ?? null) : null;
  };
  const open = openInboxFeed({
    hub: node.hub,
    views: world.views,
    clock: options.clock ?? world.clock,
    newId: () => 'sub',
    summaries: async () => {
      const page = read();
      options.afterPage?.();
      return page ? [page] : [];
    },
    summary: async () => read(),
    invitations: async () => [],
  });
  return new Inbox((signal) => open({ userId, name: 'Bob' }, {}, signal));
}

async function opened(world: World, options: InboxOptions = {}) {
  const node = world.node();
  const bob = inbox(world, node, options);
  await bob.until(() => bob.events.length >= 1);
  await settle();
  return { bob, node };
}

describe('an inbox feed', () => {
  test('[FAN-80] begins with a snapshot, and its ids are never repeated', async () => {
    const world = new World();
    world.send('1');
    const { bob } = await opened(world);
    expect(bob.events[0]).toMatchObject({
      id: 'sub-1',
      event: { type: 'snapshot', channels: [{ id: CHANNEL, head: '1000-1' }] },
    });
    world.send('2');
    await bob.until(() => bob.of('channel.activity').length === 1);
    expect(new Set(bob.events.map(({ id }) => id)).size).toBe(bob.events.length);
    await bob.leave();
  });

  test('[FAN-80] what happens between the page and the listening is told after the snapshot', async () => {
    const world = new World();
    world.read(BOB);
    const { bob } = await opened(world, { afterPage: () => void world.send('between') });
    world.persist();
    await bob.until(() => bob.of('channel.activity').length === 1);
    expect(bob.types()[0]).toBe('snapshot');
    expect(bob.of('channel.activity')[0]).toMatchObject({ head: '1000-1', unread: 1 });
    await bob.leave();
  });

  test('[FAN-80] control: without the look after the listening it would stay untold', async () => {
    const world = new World();
    world.read(BOB);
    const { views } = world.views;
    // The look sees what the page saw.
    const before = await views(BOB, [CHANNEL]);
    world.views.views = async () => before;
    const { bob } = await opened(world, { afterPage: () => void world.send('between') });
    await settle();
    expect(bob.of('channel.activity')).toEqual([]);
    await bob.leave();
  });

  test('[FAN-81] activity is told at most once in 250 ms a channel, with the newest state', async () => {
    const world = new World();
    world.read(BOB);
    const rests: { ms: number; end: () => void }[] = [];
    const clock = {
      now: world.clock.now,
      sleep: (ms: number) => new Promise<void>((end) => rests.push({ ms, end })),
    };
    const { bob } = await opened(world, { clock });
    world.now += 250;
    world.send('1');
    await bob.until(() => bob.of('channel.activity').length === 1);
    for (const body of ['2', '3', '4']) world.send(body);
    await bob.until(() => rests.length === 1);
    expect(rests[0]?.ms).toBeGreaterThan(200);
    expect(bob.of('channel.activity').length).toBe(1);
    world.now += 250;
    rests[0]?.end();
    await bob.until(() => bob.of('channel.activity').length === 2);
    expect(bob.of('channel.activity')[1]).toMatchObject({ head: '1000-4', unread: 4, lastMessage: { body: '4' } });
    await bob.leave();
  });

  test('[UNREAD-71] counts from places alone: sends, own sends, reads on other devices, holes, a new epoch', async () => {
    const world = new World();
    world.read(BOB);
    const { bob } = await opened(world);
    const unread = () => [...bob.of('channel.activity'), ...bob.of('read')].at(-1)?.unread;
    const activity = async (n: number) => bob.until(() => bob.of('channel.activity').length === n);
    const looks = world.count('views');
    world.send('1');
    await activity(1);
    world.send('2', ANN, [BOB]);
    await activity(2);
    expect(bob.of('channel.activity')[1]).toMatchObject({ unread: 2, mentions: 1, lastMessage: { body: '2' } });
    expect(world.count('views')).toBe(looks);
    world.read(BOB, { epoch: 1000, n: 1, m: 1, at: world.now });
    await bob.until(() => bob.of('read').length === 1);
    expect(bob.of('read')[0]).toMatchObject({ readTo: '1000-1', unread: 1 });
    world.send('3', BOB);
    await activity(3);
    expect(bob.of('channel.activity')[2]).toMatchObject({ unread: 0, mentions: 0 });
    expect(bob.of('read').at(-1)).toMatchObject({ readTo: '1000-3', unread: 0 });
    const fourth = world.send('4');
    await activity(4);
    world.persist({ rejected: [fourth] });
    world.hole(fourth);
    await bob.until(() => unread() === 0 || bob.of('read').at(-1)?.unread === 0);
    await settle();
    expect(world.view(BOB) && unreadOf(world.view(BOB) as ChannelView)).toBe(0);
    const count = bob.of('channel.activity').length;
    world.failOver();
    world.load();
    world.read(BOB);
    world.send('5');
    await bob.until(() => bob.of('channel.activity').length > count);
    await settle();
    expect(bob.of('channel.activity').at(-1)).toMatchObject({ head: '1010-1', unread: 1, lastMessage: { body: '5' } });
    await bob.leave();
  });

  test('[PERSIST-73] the sender is told when his own messages are persisted, superseded or rejected; nobody else is', async () => {
    const world = new World();
    const node = world.node();
    const bob = inbox(world, node);
    const ann = inbox(world, node, { userId: ANN });
    await Promise.all([bob, ann].map((feed) => feed.until(() => feed.events.length >= 1)));
    await settle();
    const first = world.send('1', ANN);
    world.persist();
    await ann.until(() => ann.of('message.persisted').length === 1);
    expect(ann.of('message.persisted')[0]).toMatchObject({ upTo: first, holes: [] });
    const second = world.send('2', ANN);
    world.persist({ rejected: [second] });
    world.hole(second, ANN);
    await ann.until(() => ann.of('message.rejected').length === 1);
    expect(ann.of('message.rejected')[0]).toMatchObject({ clientMsgId: 'k', reason: 'refused' });
    await bob.until(() => bob.of('channel.activity').at(-1)?.head === second);
    expect(bob.of('message.persisted')).toEqual([]);
    expect(bob.of('message.rejected')).toEqual([]);
    await Promise.all([bob.leave(), ann.leave()]);
  });

  test('[MEMBER-74] a channel comes and goes with the membership', async () => {
    const world = new World([ANN]);
    const { bob, node } = await opened(world);
    expect(bob.of('snapshot')[0]?.channels).toEqual([]);
    world.join(BOB);
    world.tell(BOB, { type: 'channel.added', channelId: CHANNEL });
    await bob.until(() => bob.of('channel.added').length === 1);
    world.tell(BOB, { type: 'channel.added', channelId: CHANNEL });
    world.send('1');
    await bob.until(() => bob.of('channel.activity').length === 1);
    expect(bob.of('channel.added').length).toBe(1);
    world.leave(BOB, ANN);
    await bob.until(() => bob.of('channel.removed').length === 1);
    expect(bob.of('channel.removed')[0]).toMatchObject({ reason: 'removed' });
    world.send('2');
    await settle();
    expect(bob.types().at(-1)).toBe('channel.removed');
    expect(node.topics.has(CHANNEL)).toBe(false);
    world.join(BOB);
    world.tell(BOB, { type: 'channel.added', channelId: CHANNEL });
    await bob.until(() => bob.of('channel.added').length === 2);
    world.leave(BOB);
    await bob.until(() => bob.of('channel.removed').length === 2);
    expect(bob.of('channel.removed')[1]).toMatchObject({ reason: 'left' });
    await bob.leave();
  });

  test('[FAN-74] after a lost connection membership and activity are read again', async () => {
    const world = new World([ANN]);
    const { bob, node } = await opened(world);
    world.loses = () => true;
    world.join(BOB);
    world.send('1');
    node.hub.suspect();
    await bob.until(() => bob.of('channel.added').length === 1);
    world.send('2');
    node.hub.suspect();
    await bob.until(() => bob.of('channel.activity').at(-1)?.head === world.head);
    world.leave(BOB, ANN);
    node.hub.suspect();
    await bob.until(() => bob.of('channel.removed').length === 1);
    await bob.leave();
  });

  test('[FAN-78] leaving gives everything back', async () => {
    const world = new World();
    const { bob, node } = await opened(world);
    world.send('1');
    await bob.leave();
    const never = new Promise<void>(() => undefined);
    for (const call of ['subscribe', 'views'] as const) {
      world.on(call, () => (call === 'subscribe' ? settle() : never));
      const hasty = inbox(world, node);
      if (call !== 'subscribe') await settle();
      await hasty.leave();
    }
    await settle();
    expect(node.hub.size).toEqual({ channels: 0, listeners: 0 });
    expect(node.topics.size).toBe(0);
  });

  test('[DEG-27] what could not be looked at while the log store was away is looked at when it is back', async () => {
    const world = new World();
    world.read(BOB);
    const first = world.send('1');
    world.send('2');
    const { bob } = await opened(world);
    let failures = 2;
    const { views } = world.views;
    world.views.views = async (userId, channelIds) => {
      if (userId === BOB && failures-- > 0) throw new Failure('UNAVAILABLE', 'away');
      return views(userId, channelIds);
    };
    // A hole cannot be counted from places alone.
    world.persist({ rejected: [first] });
    world.hole(first);
    await bob.until(() => bob.of('read').length === 1);
    expect(bob.of('read')[0]).toMatchObject({ unread: 1 });
    await bob.leave();
    expect(bob.failure).toBeUndefined();
  });

  test('[DEG-28] memberships that cannot be read again while Postgres is away are read when it is back', async () => {
    const world = new World();
    let pages = 0;
    const afterPage = () => {
      pages++;
      if (pages === 2 || pages === 3) throw new Failure('UNAVAILABLE', 'away');
    };
    const { bob, node } = await opened(world, { afterPage });
    node.hub.suspect();
    await bob.until(() => pages === 4);
    await bob.leave();
    expect(bob.failure).toBeUndefined();
  });

  test('[DEG-71] what is announced about the server reaches every inbox of the thread', async () => {
    const world = new World();
    const { bob, node } = await opened(world);
    node.hub.announce({ type: 'degraded', at: 1, store: 'postgres', since: 1 });
    await bob.until(() => bob.of('degraded').length === 1);
    await bob.leave();
  });
});
