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

async function channel(kind: 'group' | 'public' | 'support' = 'group', members: Chatter[] = [bob]): Promise<string> {
  const memberIds = members.map((member) => member.userId);
  return (await ada.trpc.channel.create.mutate({ kind, name: 'g', memberIds })).id;
}

async function until<T>(look: () => Promise<T> | T, done: (found: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await look();
    if (done(found) || tries === 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function eventsOf(chatter: Chatter, channelId: string): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  chatter.trpc.feed.channel.subscribe({ channelId }, { onData: ({ data }) => events.push(data) });
  return events;
}

const last = <T extends string, E extends { type: string }>(events: E[], type: T) =>
  events.findLast((event): event is Extract<E, { type: T }> => event.type === type);

describe('roles', () => {
  it('[MEMBER-110] member.setRole gives what is below one’s own, and the feed tells it', async () => {
    const channelId = await channel('group', [bob, eve]);
    const events = eventsOf(bob, channelId);
    await until(() => last(events, 'opened'), Boolean);
    const set = (by: Chatter, whom: Chatter, role: 'owner' | 'admin' | 'moderator' | 'member' | 'guest') =>
      by.trpc.member.setRole.mutate({ channelId, userId: whom.userId, role });
    expect(await set(ada, bob, 'admin')).toMatchObject({ position: expect.any(String) });
    const told = await until(() => last(events, 'member.updated'), Boolean);
    expect(told?.member).toMatchObject({ userId: bob.userId, role: 'admin' });
    expect(await set(ada, bob, 'admin')).toMatchObject({ position: null });
    expect(await failureOf(set(bob, eve, 'owner'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(set(bob, ada, 'member'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(set(eve, bob, 'guest'))).toMatchObject({ code: 'FORBIDDEN' });
    await set(bob, eve, 'moderator');
    expect((await ada.trpc.channel.get.query({ channelId })).role).toBe('owner');
    await until(
      async () => (await ada.trpc.member.list.query({ channelId })).items.map(({ role }) => role).sort(),
      (roles) => roles.join() === 'admin,moderator,owner',
    );
    expect(await failureOf(set(ada, await stack.user('stranger'), 'guest'))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[MEMBER-111] a silenced member cannot speak, change or react until his time is over, and can again after it', async () => {
    const channelId = await channel('group', [bob, eve]);
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'before'));
    const silence = (by: Chatter, until: number | null, whom = bob) =>
      by.trpc.member.silence.mutate({ channelId, userId: whom.userId, until });
    expect(await failureOf(silence(eve, Date.now() + 60_000))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(silence(ada, 1, ada))).toMatchObject({ code: 'INVALID' });
    await silence(ada, Date.now() + 60_000);
    const refused = await failureOf(bob.trpc.message.send.mutate(text(channelId, 'silenced')));
    expect(refused).toMatchObject({ code: 'SILENCED', retryAfterMs: expect.any(Number) });
    const edit = bob.trpc.message.edit.mutate({ channelId, messageId, body: 'changed' });
    expect(await failureOf(edit)).toMatchObject({ code: 'SILENCED' });
    const react = bob.trpc.reaction.add.mutate({ channelId, messageId, emoji: '👍' });
    expect(await failureOf(react)).toMatchObject({ code: 'SILENCED' });
    // What he said he may still take back; another role leaves him silenced.
    await bob.trpc.message.delete.mutate({ channelId, messageId });
    await ada.trpc.member.setRole.mutate({ channelId, userId: bob.userId, role: 'guest' });
    expect(await failureOf(bob.trpc.message.send.mutate(text(channelId, 'x')))).toMatchObject({ code: 'SILENCED' });
    await silence(ada, null);
    await bob.trpc.message.send.mutate(text(channelId, 'after'));
    expect((await bob.trpc.channel.get.query({ channelId })).role).toBe('guest');
    await silence(ada, Date.now() + 400);
    await until(() => bob.trpc.message.send.mutate(text(channelId, 'later')).then(Boolean, () => false), Boolean);
  });
});

describe('coming and going', () => {
  it('[MEMBER-112] a public channel is joined by anybody, a group by the invited; it is left again', async () => {
    const channelId = await channel('public', []);
    const joined = await bob.trpc.channel.join.mutate({ channelId });
    expect(joined).toMatchObject({ id: channelId, role: 'member', memberCount: 2, unread: 0 });
    expect(await bob.trpc.channel.join.mutate({ channelId })).toMatchObject({ id: channelId, memberCount: 2 });
    await bob.trpc.message.send.mutate(text(channelId, 'hello'));
    expect(await bob.trpc.channel.leave.mutate({ channelId })).toMatchObject({ level: 'persisted' });
    const refused = await failureOf(bob.trpc.message.send.mutate(text(channelId, 'gone')));
    expect(refused).toMatchObject({ code: 'NOT_FOUND' });
    const closed = await channel('group', []);
    expect(await failureOf(bob.trpc.channel.join.mutate({ channelId: closed }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(bob.trpc.channel.join.mutate({ channelId: randomUUID() }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    const { id: direct } = await ada.trpc.channel.create.mutate({ kind: 'direct', memberIds: [bob.userId] });
    expect(await failureOf(bob.trpc.channel.leave.mutate({ channelId: direct }))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[MEMBER-113] an invitation is told, listed, taken once, and only moderators give it', async () => {
    const channelId = await channel('group', [eve]);
    const events: InboxEvent[] = [];
    bob.trpc.feed.inbox.subscribe({}, { onData: ({ data }) => events.push(data) });
    await until(() => last(events, 'snapshot'), Boolean);
    const invite = (by: Chatter) => by.trpc.channel.invite.mutate({ channelId, userIds: [bob.userId, eve.userId] });
    expect(await failureOf(invite(eve))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(invite(bob))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await invite(ada)).invited).toEqual([bob.userId]);
    expect((await invite(ada)).invited).toEqual([]);
    const told = await until(() => last(events, 'channel.invited'), Boolean);
    expect(told).toMatchObject({ channelId, invitedBy: ada.userId, channel: { id: channelId } });
    expect(await bob.trpc.channel.invitations.query()).toMatchObject([{ channel: { id: channelId } }]);
    expect(await bob.trpc.channel.join.mutate({ channelId })).toMatchObject({ role: 'member' });
    expect(await bob.trpc.channel.invitations.query()).toEqual([]);
    await bob.trpc.channel.leave.mutate({ channelId });
    expect(await failureOf(bob.trpc.channel.join.mutate({ channelId }))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[LIMIT-70] joins are limited', async () => {
    await using limited = await startStack({ CHANNEL_JOINS_PER_HOUR: '1' });
    await limited.startWorker();
    const [host, guest] = [await limited.user('host'), await limited.user('guest')];
    const make = () => host.trpc.channel.create.mutate({ kind: 'public', name: 'p', memberIds: [] });
    const [one, two] = [await make(), await make()];
    await guest.trpc.channel.join.mutate({ channelId: one.id });
    const refused = await failureOf(guest.trpc.channel.join.mutate({ channelId: two.id }));
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
  });
});

describe('the channel itself', () => {
  it('[CHAN-1] channel.update changes what is named, by an admin, for every reader', async () => {
    const channelId = await channel();
    const events = eventsOf(bob, channelId);
    await until(() => last(events, 'opened'), Boolean);
    const update = (by: Chatter, fields: object) => by.trpc.channel.update.mutate({ channelId, ...fields });
    expect(await failureOf(update(bob, { name: 'mine' }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(update(eve, { name: 'mine' }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await update(ada, { name: 'news' })).toMatchObject({ name: 'news', topic: null, memberCount: 2 });
    expect(await update(ada, { topic: 'what is new', avatarUrl: 'https://x.example/a.png' })).toMatchObject({
      name: 'news',
      topic: 'what is new',
    });
    const told = await until(
      () => last(events, 'channel.updated'),
      (event) => event?.channel.topic !== null,
    );
    expect(told?.channel).toMatchObject({ id: channelId, kind: 'group', name: 'news', topic: 'what is new' });
    expect(await bob.trpc.channel.get.query({ channelId })).toMatchObject({ name: 'news', topic: 'what is new' });
    const listed = async () => (await bob.trpc.channel.list.query()).items.find(({ id }) => id === channelId);
    expect(await listed()).toMatchObject({ name: 'news', topic: 'what is new' });
    expect(await failureOf(update(ada, { avatarUrl: 'javascript:alert(1)' }))).toMatchObject({ code: 'INVALID' });
    const { id: direct } = await ada.trpc.channel.create.mutate({ kind: 'direct', memberIds: [bob.userId] });
    const rename = ada.trpc.channel.update.mutate({ channelId: direct, name: 'x' });
    expect(await failureOf(rename)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[CHAN-2] an archived channel is read and left, and takes nothing new until it is opened again', async () => {
    const channelId = await channel();
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'before'));
    expect(await ada.trpc.channel.archive.mutate({ channelId })).toMatchObject({ archivedAt: expect.any(Number) });
    const add = ada.trpc.member.add.mutate({ channelId, userIds: [eve.userId] });
    expect(await failureOf(add)).toMatchObject({ code: 'FORBIDDEN' });
    const send = bob.trpc.message.send.mutate(text(channelId, 'x'));
    expect(await failureOf(send)).toMatchObject({ code: 'FORBIDDEN' });
    const react = bob.trpc.reaction.add.mutate({ channelId, messageId, emoji: '👍' });
    expect(await failureOf(react)).toMatchObject({ code: 'FORBIDDEN' });
    expect((await bob.trpc.message.page.query({ channelId })).items).toHaveLength(1);
    expect(await ada.trpc.channel.archive.mutate({ channelId, archived: false })).toMatchObject({ archivedAt: null });
    await bob.trpc.message.send.mutate(text(channelId, 'after'));
    await bob.trpc.channel.leave.mutate({ channelId });
  });

  it('[CHAN-3] a channel is muted by each for himself', async () => {
    const channelId = await channel();
    const until = Date.now() + 60_000;
    expect(await bob.trpc.channel.mute.mutate({ channelId, until })).toEqual({ muted: true, until });
    expect((await bob.trpc.channel.get.query({ channelId })).muted).toBe(true);
    expect((await ada.trpc.channel.get.query({ channelId })).muted).toBe(false);
    expect(await bob.trpc.channel.mute.mutate({ channelId, until: null })).toEqual({ muted: false, until: null });
    expect((await bob.trpc.channel.get.query({ channelId })).muted).toBe(false);
    expect(await failureOf(eve.trpc.channel.mute.mutate({ channelId, until }))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('receipts', () => {
  it('[RCPT-1] say whom a message has reached and who has read it; a cursor never goes back', async () => {
    const channelId = await channel('group', [bob, eve]);
    const events = eventsOf(ada, channelId);
    await until(() => last(events, 'opened'), Boolean);
    const sent = await ada.trpc.message.send.mutate(text(channelId, 'one'));
    const later = await ada.trpc.message.send.mutate(text(channelId, 'two'));
    const list = (by: Chatter, messageId = sent.messageId) => by.trpc.receipt.list.query({ channelId, messageId });
    expect(await list(ada)).toEqual([]);
    const delivered = await bob.trpc.receipt.delivered.mutate({ channelId, position: later.position });
    expect(delivered).toEqual({ readTo: null, unread: 2 });
    expect(await list(ada)).toEqual([{ userId: bob.userId, deliveredAt: expect.any(Number), readAt: null }]);
    const told = await until(() => last(events, 'receipt.updated'), Boolean);
    expect(told).toMatchObject({ userId: bob.userId, deliveredTo: later.position, readTo: null });
    await eve.trpc.receipt.read.mutate({ channelId, position: sent.position });
    await bob.trpc.receipt.delivered.mutate({ channelId, position: sent.position });
    const receipts = (await list(bob)).sort((a) => (a.userId === bob.userId ? -1 : 1));
    expect(receipts).toEqual([
      { userId: bob.userId, deliveredAt: expect.any(Number), readAt: null },
      { userId: eve.userId, deliveredAt: expect.any(Number), readAt: expect.any(Number) },
    ]);
    expect(await list(ada, later.messageId)).toMatchObject([{ userId: bob.userId, readAt: null }]);
    expect(await failureOf(list(await stack.user('nobody')))).toMatchObject({ code: 'NOT_FOUND' });
    const beyond = bob.trpc.receipt.delivered.mutate({ channelId, position: '9999999999-1' });
    expect(await failureOf(beyond)).toMatchObject({ code: 'INVALID' });
    const { items } = await until(
      () => ada.trpc.member.list.query({ channelId }),
      ({ items: all }) => all.some(({ deliveredTo }) => deliveredTo === later.position),
    );
    expect(items.find(({ userId }) => userId === bob.userId)).toMatchObject({
      deliveredTo: later.position,
      readTo: null,
    });
  });
});
