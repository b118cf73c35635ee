import { randomUUID } from 'node:crypto';
import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let eve: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob, eve] = await Promise.all([stack.user('ada'), stack.user('bob'), stack.user('eve')]);
});

afterAll(() => stack?.[Symbol.asyncDispose]());

const direct = () => ada.trpc.channel.create.mutate({ kind: 'direct', memberIds: [bob.userId] });
const group = (members: Chatter[] = [bob], over: object = {}) =>
  ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: members.map((m) => m.userId), ...over });

async function until<T>(look: () => Promise<T>, done: (found: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await look();
    if (done(found) || tries === 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The events of a channel's feed as they come. */
function listen(chatter: Chatter, channelId: string, lastEventId?: `${number}-${number}`) {
  const events: ChannelEvent[] = [];
  const errors: unknown[] = [];
  const input = { channelId, ...(lastEventId && { lastEventId }) };
  const subscription = chatter.trpc.feed.channel.subscribe(input, {
    onData: ({ data }) => events.push(data),
    onError: (error) => errors.push(error),
  });
  const types = () => events.map((event) => event.type);
  return { events, errors, types, stop: () => subscription.unsubscribe() };
}

describe('users', () => {
  it('user.me and user.get', async () => {
    expect(await ada.trpc.user.me.query()).toMatchObject({ id: ada.userId, name: 'ada' });
    const userIds = [bob.userId, ada.userId, randomUUID(), bob.userId];
    expect((await ada.trpc.user.get.query({ userIds })).map((user) => user.name)).toEqual(['bob', 'ada']);
  });

  it('[AUTH-6] a changed name is seen after the next connect', async () => {
    const carol = await stack.user('carol');
    const renamed = await stack.user('carol', { token: await stack.token('carol', { name: 'Caroline' }) });
    expect(await renamed.trpc.user.me.query()).toMatchObject({ id: carol.userId, name: 'Caroline' });
  });
});

describe('channel.create', () => {
  it('[MEMBER-20] a direct channel of the same two is found, not doubled, whoever asks', async () => {
    const one = await direct();
    const two = await bob.trpc.channel.create.mutate({ kind: 'direct', memberIds: [ada.userId] });
    expect(two.id).toBe(one.id);
    expect(one).toMatchObject({ kind: 'direct', memberCount: 2, name: null });
    expect((await direct()).id).toBe(one.id);
  });

  it('[DEDUP-25] the same clientId gives the same channel, and costs nothing of the limit', async () => {
    await using limited = await startStack();
    const { trpc } = await limited.user('maker');
    const make = (clientId = randomUUID()) => trpc.channel.create.mutate({ kind: 'group', memberIds: [], clientId });
    const clientId = randomUUID();
    const first = await make(clientId);
    for (let i = 0; i < 6; i++) expect((await make(clientId)).id).toBe(first.id);
    for (let i = 0; i < 4; i++) expect((await make()).id).not.toBe(first.id);
    expect(await failureOf(make())).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
    expect((await make(clientId)).id).toBe(first.id);
  });

  it('refuses unknown members, a direct channel of one or three, too many members', async () => {
    const { trpc } = await stack.user('clumsy');
    const make = (kind: 'direct' | 'group', memberIds: string[]) =>
      failureOf(trpc.channel.create.mutate({ kind, memberIds }));
    expect(await make('group', [randomUUID()])).toMatchObject({ code: 'NOT_FOUND' });
    expect(await make('direct', [])).toMatchObject({ code: 'INVALID' });
    expect(await make('direct', [bob.userId, eve.userId])).toMatchObject({ code: 'INVALID' });
    expect(
      await make(
        'group',
        Array.from({ length: 100 }, () => randomUUID()),
      ),
    ).toMatchObject({ code: 'CHANNEL_FULL' });
    expect(
      await make(
        'group',
        Array.from({ length: 101 }, () => randomUUID()),
      ),
    ).toMatchObject({ code: 'INVALID' });
  });
});

describe('message.send', () => {
  it('[SEND-22] [SEND-23] answers accepted with position and time, and persisted when asked to', async () => {
    const { id, epoch } = await direct();
    const one = await ada.trpc.message.send.mutate(text(id, 'one'));
    expect(one).toMatchObject({ level: 'accepted', duplicate: false, epoch });
    expect(one.position).toMatch(new RegExp(`^${epoch}-\\d+$`));
    expect(Math.abs(one.sentAt - Date.now())).toBeLessThan(60_000);
    const two = await ada.trpc.message.send.mutate({ ...text(id, 'two'), ack: 'persisted' });
    expect(two.level).toBe('persisted');
    expect(await ada.trpc.message.get.query({ channelId: id, messageId: two.messageId })).toMatchObject({
      body: 'two',
      persisted: true,
      senderId: ada.userId,
    });
  });

  it('[DEDUP-26] the same clientMsgId again gives the same answer, also after it is persisted', async () => {
    const { id } = await direct();
    const input = text(id, 'once');
    const first = await ada.trpc.message.send.mutate(input);
    const again = await ada.trpc.message.send.mutate({ ...input, body: 'changed' });
    expect(again).toMatchObject({
      messageId: first.messageId,
      position: first.position,
      sentAt: first.sentAt,
      duplicate: true,
    });
    const later = await until(
      () => ada.trpc.message.send.mutate(input),
      (answer) => answer.level === 'persisted',
    );
    expect(later).toEqual({ ...first, level: 'persisted', duplicate: true });
    const { items } = await ada.trpc.message.page.query({ channelId: id });
    expect(items.filter((message) => message.id === first.messageId).map((message) => message.body)).toEqual(['once']);
  });

  it('[DEDUP-23] a resend first tried in an older epoch is not doubled', async () => {
    const { id, epoch } = await direct();
    const input = text(id, 'tried before');
    const first = await ada.trpc.message.send.mutate({ ...input, ack: 'persisted' });
    const again = await ada.trpc.message.send.mutate({ ...input, op: { triedIn: epoch - 1 } });
    expect(again).toEqual({ ...first, level: 'persisted', duplicate: true });
    const fresh = await ada.trpc.message.send.mutate({ ...text(id, 'lost before'), op: { triedIn: epoch - 1 } });
    expect(fresh).toMatchObject({ level: 'accepted', duplicate: false });
  });

  it('[EPOCH-21] an operation of another epoch is refused with the current one', async () => {
    const { id, epoch } = await direct();
    const refused = await failureOf(ada.trpc.message.send.mutate({ ...text(id, 'x'), op: { epoch: epoch - 1 } }));
    expect(refused).toEqual({ code: 'CONFLICT', retryable: true, epoch });
    expect(await ada.trpc.message.send.mutate({ ...text(id, 'x'), op: { epoch } })).toMatchObject({ epoch });
  });

  it('[SEND-24] what no store can hold, what is too long and what is empty is refused with a code', async () => {
    const { id } = await direct();
    const send = (body: string) => failureOf(ada.trpc.message.send.mutate(text(id, body)));
    expect(await send('a\u0000b')).toMatchObject({ code: 'INVALID', retryable: false });
    expect(await send('\ud800')).toMatchObject({ code: 'INVALID' });
    expect(await send('')).toMatchObject({ code: 'INVALID' });
    expect(await send('x'.repeat(2_049))).toMatchObject({ code: 'TOO_LARGE' });
    expect(await ada.trpc.message.send.mutate(text(id, 'é'.repeat(1_024)))).toMatchObject({ level: 'accepted' });
    const odd = '  \u202e😀\tпривет\n"\\u0000"{} ';
    const sent = await ada.trpc.message.send.mutate({ ...text(id, odd), ack: 'persisted' });
    expect(await ada.trpc.message.get.query({ channelId: id, messageId: sent.messageId })).toMatchObject({ body: odd });
  });
});

describe('[AUTH-9] a stranger is told the same of a channel that exists and of one that does not', () => {
  it.each([
    'message.send',
    'message.page',
    'message.get',
    'channel.get',
    'member.list',
    'member.add',
    'member.remove',
    'receipt.read',
    'feed.channel',
  ])('%s', async (path) => {
    const { id } = await direct();
    const { messageId, position } = await ada.trpc.message.send.mutate({ ...text(id, 'secret'), ack: 'persisted' });
    const ask = (channelId: string): Promise<unknown> => {
      const { trpc } = eve;
      const userId = eve.userId;
      const calls: Record<string, () => Promise<unknown>> = {
        'message.send': () => trpc.message.send.mutate(text(channelId, 'x')),
        'message.page': () => trpc.message.page.query({ channelId }),
        'message.get': () => trpc.message.get.query({ channelId, messageId }),
        'channel.get': () => trpc.channel.get.query({ channelId }),
        'member.list': () => trpc.member.list.query({ channelId }),
        'member.add': () => trpc.member.add.mutate({ channelId, userIds: [userId] }),
        'member.remove': () => trpc.member.remove.mutate({ channelId, userId: ada.userId }),
        'receipt.read': () => trpc.receipt.read.mutate({ channelId, position }),
        'feed.channel': () =>
          new Promise((resolve, reject) => {
            trpc.feed.channel.subscribe({ channelId }, { onData: resolve, onError: reject });
          }),
      };
      return calls[path]?.() ?? Promise.reject(new Error(path));
    };
    const [real, nowhere] = await Promise.all(
      [id, randomUUID()].map((channelId) =>
        ask(channelId).then(String, (error: Error) =>
          JSON.stringify([error.message, (error as { data?: object }).data]),
        ),
      ),
    );
    expect(real).toBe(nowhere);
    expect(real).toContain('NOT_FOUND');
  });
});

describe('members', () => {
  it('[MEMBER-21] member.add answers with members that are persisted; again it adds nobody', async () => {
    const { id } = await group([bob]);
    const op = { id: randomUUID() };
    const added = await ada.trpc.member.add.mutate({ channelId: id, userIds: [eve.userId], role: 'moderator', op });
    expect(added.members).toMatchObject([{ userId: eve.userId, role: 'moderator', user: { name: 'eve' } }]);
    expect(await ada.trpc.member.add.mutate({ channelId: id, userIds: [eve.userId], role: 'moderator', op })).toEqual(
      added,
    );
    const { items } = await eve.trpc.member.list.query({ channelId: id });
    expect(items.map((member) => `${member.user.name} ${member.role}`).sort()).toEqual([
      'ada owner',
      'bob member',
      'eve moderator',
    ]);
    expect((await eve.trpc.channel.get.query({ channelId: id })).memberCount).toBe(3);
  });

  it('[MEMBER-22] nobody lifts another to his own rank, or acts on his betters', async () => {
    const { id } = await group([bob]);
    await ada.trpc.member.add.mutate({ channelId: id, userIds: [eve.userId], role: 'moderator' });
    const dan = await stack.user('dan');
    const add = (role: 'guest' | 'moderator' | 'owner') =>
      eve.trpc.member.add.mutate({ channelId: id, userIds: [dan.userId], role });
    expect(await failureOf(add('owner'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(add('moderator'))).toMatchObject({ code: 'FORBIDDEN' });
    expect((await add('guest')).members).toHaveLength(1);
    const remove = (chatter: Chatter, userId: string) => chatter.trpc.member.remove.mutate({ channelId: id, userId });
    expect(await failureOf(remove(eve, ada.userId))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(remove(bob, dan.userId))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(bob.trpc.member.add.mutate({ channelId: id, userIds: [dan.userId] }))).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('[MEMBER-23] member.remove answers at persisted; nothing newer reaches the removed one', async () => {
    const { id } = await group([bob, eve]);
    await using feed = disposable(listen(eve, id));
    await until(
      async () => feed.types(),
      (types) => types.includes('opened'),
    );
    await ada.trpc.message.send.mutate(text(id, 'before'));
    const removed = await ada.trpc.member.remove.mutate({ channelId: id, userId: eve.userId });
    expect(removed).toMatchObject({ level: 'persisted', position: expect.stringMatching(/^\d+-\d+$/) });
    await ada.trpc.message.send.mutate(text(id, 'after'));
    expect(await failureOf(eve.trpc.message.page.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(eve.trpc.message.send.mutate(text(id, 'x')))).toMatchObject({ code: 'NOT_FOUND' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const bodies = feed.events.flatMap((event) => (event.type === 'message.created' ? [event.message.body] : []));
    expect(bodies).toEqual(['before']);
    expect((await eve.trpc.channel.list.query()).items.map((channel) => channel.id)).not.toContain(id);
    const again = await ada.trpc.member.remove.mutate({ channelId: id, userId: eve.userId });
    expect(again).toMatchObject({ position: null, level: 'persisted' });
  });

  it('[MEMBER-24] everybody may leave a group; a direct channel keeps its two', async () => {
    const { id } = await group([bob]);
    await bob.trpc.member.remove.mutate({ channelId: id, userId: bob.userId });
    expect(await failureOf(bob.trpc.channel.get.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
    const { id: pair } = await direct();
    const leave = bob.trpc.member.remove.mutate({ channelId: pair, userId: bob.userId });
    expect(await failureOf(leave)).toMatchObject({ code: 'FORBIDDEN' });
    const widen = ada.trpc.member.add.mutate({ channelId: pair, userIds: [eve.userId] });
    expect(await failureOf(widen)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[MEMBER-25] a full channel says so; an unknown user is none', async () => {
    await using small = await startStack({ MAX_CHANNEL_MEMBERS: '2' });
    const [x, y, z] = await Promise.all(['x', 'y', 'z'].map((name) => small.user(name)));
    if (!x || !y || !z) throw new Error('no users');
    const { id } = await x.trpc.channel.create.mutate({ kind: 'group', memberIds: [y.userId] });
    const add = (userId: string) => failureOf(x.trpc.member.add.mutate({ channelId: id, userIds: [userId] }));
    expect(await add(z.userId)).toMatchObject({ code: 'CHANNEL_FULL', retryable: false });
    expect(await add(randomUUID())).toMatchObject({ code: 'NOT_FOUND' });
  });
});

function disposable<T extends { stop(): void }>(feed: T): T & AsyncDisposable {
  return { ...feed, [Symbol.asyncDispose]: async () => feed.stop() };
}

describe('unread and receipts', () => {
  it('[UNREAD-20] counts what others said since one read; reading clears it, and never goes back', async () => {
    const { id } = await group([bob]);
    const sent = [];
    for (const body of ['1', '2', '3']) sent.push(await ada.trpc.message.send.mutate(text(id, body)));
    const unread = async (chatter: Chatter) => {
      const { items } = await chatter.trpc.channel.list.query();
      return items.find((channel) => channel.id === id)?.unread;
    };
    expect([await unread(ada), await unread(bob)]).toEqual([0, 3]);
    const [one, two] = sent;
    if (!one || !two) throw new Error('nothing sent');
    const read = (position: typeof one.position) => bob.trpc.receipt.read.mutate({ channelId: id, position });
    expect(await read(two.position)).toEqual({ readTo: two.position, unread: 1 });
    expect(await read(one.position)).toEqual({ readTo: two.position, unread: 1 });
    expect(await unread(bob)).toBe(1);
    const ahead = two.position.replace(/-\d+$/, '-999') as typeof two.position;
    expect(await failureOf(read(ahead))).toMatchObject({ code: 'INVALID' });
  });

  it('[UNREAD-21] a position outside the window is counted in Postgres', async () => {
    const { id } = await group([bob]);
    const first = await ada.trpc.message.send.mutate({ ...text(id, 'first'), ack: 'persisted' });
    await ada.trpc.message.send.mutate({ ...text(id, 'second'), ack: 'persisted' });
    const { Redis } = await import('ioredis');
    const redis = new Redis(stack.log.url);
    const [window] = await redis.keys(`parley:{*}:win:${id}`);
    await redis.del(window ?? '');
    await redis.quit();
    const answer = await bob.trpc.receipt.read.mutate({ channelId: id, position: first.position });
    expect(answer).toEqual({ readTo: first.position, unread: 1 });
  });
});

describe('channel.list and message.page', () => {
  it('show what is accepted and not persisted yet', async () => {
    await using quiet = await startStack();
    const [x, y] = await Promise.all([quiet.user('x'), quiet.user('y')]);
    const { id } = await x.trpc.channel.create.mutate({ kind: 'group', name: 'n', memberIds: [y.userId] });
    const sent = await x.trpc.message.send.mutate(text(id, 'unpersisted'));
    const [channel] = (await y.trpc.channel.list.query()).items;
    expect(channel).toMatchObject({
      id,
      head: sent.position,
      unread: 1,
      role: 'member',
      lastMessage: { body: 'unpersisted', persisted: false },
    });
    expect((await y.trpc.message.page.query({ channelId: id })).items).toMatchObject([{ persisted: false }]);
    const { messageId } = sent;
    expect(await y.trpc.message.get.query({ channelId: id, messageId })).toMatchObject({ persisted: false });
    // Whoever waits for Postgres without a worker is told the truth.
    const waited = await x.trpc.message.send.mutate({ ...text(id, 'waits'), ack: 'persisted' });
    expect(waited.level).toBe('accepted');
    const kick = x.trpc.member.remove.mutate({ channelId: id, userId: y.userId });
    expect(await failureOf(kick)).toMatchObject({ code: 'UNKNOWN_RETRY', retryable: true });
  });

  it('page through a channel in both directions and around a message', async () => {
    const { id } = await group([bob]);
    const positions: string[] = [];
    for (let i = 0; i < 25; i++) positions.push((await ada.trpc.message.send.mutate(text(id, `m${i}`))).position);
    const last = await bob.trpc.message.page.query({ channelId: id, limit: 10 });
    expect(last.items.map((m) => m.position)).toEqual(positions.slice(15));
    expect(last).toMatchObject({ hasBefore: true, hasAfter: false });
    const before = last.items[0]?.position;
    if (!before) throw new Error('no items');
    const middle = await bob.trpc.message.page.query({ channelId: id, limit: 10, before });
    expect(middle.items.map((m) => m.position)).toEqual(positions.slice(5, 15));
    expect(middle).toMatchObject({ hasBefore: true, hasAfter: true });
    const after = await bob.trpc.message.page.query({ channelId: id, limit: 10, after: before });
    expect(after.items.map((m) => m.position)).toEqual(positions.slice(16));
    const around = await bob.trpc.message.page.query({ channelId: id, limit: 5, around: before });
    expect(around.items.map((m) => m.position)).toEqual(positions.slice(13, 18));
    expect(await failureOf(bob.trpc.message.page.query({ channelId: id, before, after: before }))).toMatchObject({
      code: 'INVALID',
    });
  });
});

describe('feeds through the door', () => {
  it('[FAN-20] opened, messages as they come, persisted; every event tracked', async () => {
    const { id } = await group([bob]);
    await using feed = disposable(listen(bob, id));
    await until(
      async () => feed.types(),
      (types) => types.includes('opened'),
    );
    const { position } = await ada.trpc.message.send.mutate(text(id, 'hello'));
    await until(
      async () => feed.types(),
      (types) => types.includes('message.persisted'),
    );
    expect(feed.types()).toEqual(['opened', 'message.created', 'message.persisted']);
    expect(feed.events[1]).toMatchObject({ message: { position, body: 'hello', senderId: ada.userId } });
    expect(feed.errors).toEqual([]);
  });

  it('a bad lastEventId is refused, a good one resumes', async () => {
    const { id } = await group([bob]);
    const one = await ada.trpc.message.send.mutate(text(id, 'one'));
    await ada.trpc.message.send.mutate(text(id, 'two'));
    await using feed = disposable(listen(bob, id, one.position));
    await until(
      async () => feed.types(),
      (types) => types.includes('message.created'),
    );
    expect(feed.events[0]).toMatchObject({ type: 'opened', resumed: true });
    expect(feed.events[1]).toMatchObject({ message: { body: 'two' } });
    for (const bad of ['x', '1-2-3', '-1-1', '1-2'.repeat(20), '{}']) {
      const refused = new Promise((_, reject) => {
        const lastEventId = bad as `${number}-${number}`;
        bob.trpc.feed.channel.subscribe({ channelId: id, lastEventId }, { onError: reject });
      });
      expect(await failureOf(refused), bad).toMatchObject({ code: 'INVALID' });
    }
  });

  it('[FAN-21] the inbox begins with a snapshot and hears of new channels', async () => {
    const fay = await stack.user('fay');
    const events: InboxEvent[] = [];
    const ids: string[] = [];
    const subscription = fay.trpc.feed.inbox.subscribe(undefined, {
      onData: ({ id, data }) => {
        ids.push(id);
        events.push(data);
      },
    });
    const has = (type: InboxEvent['type']) =>
      until(
        async () => events,
        (all) => all.some((e) => e.type === type),
      );
    await has('snapshot');
    const { id } = await bob.trpc.channel.create.mutate({ kind: 'direct', memberIds: [fay.userId] });
    await has('channel.added');
    await bob.trpc.message.send.mutate(text(id, 'hi'));
    await has('channel.activity');
    expect(events.find((e) => e.type === 'channel.activity')).toMatchObject({ channelId: id, unread: 1 });
    expect(new Set(ids).size).toBe(ids.length);
    subscription.unsubscribe();
  });
});
