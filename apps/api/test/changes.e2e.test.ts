import { randomUUID } from 'node:crypto';
import { createKeys } from '@parley/cache';
import type { ChannelEvent, InboxEvent, Message } from '@parley/protocol';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let eve: Chatter;
let postgres: pg.Client;
let log: Redis;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob, eve] = await Promise.all([stack.user('ada'), stack.user('bob'), stack.user('eve')]);
  postgres = new pg.Client({ connectionString: stack.db.url });
  await postgres.connect();
  log = new Redis(stack.log.url);
});

afterAll(async () => {
  await postgres?.end();
  log?.disconnect();
  await stack?.[Symbol.asyncDispose]();
});

const sql = async (text: string, values: unknown[]) => (await postgres.query(text, values)).rows;

async function group(members: Chatter[] = [bob], over: object = {}): Promise<string> {
  const memberIds = members.map((member) => member.userId);
  return (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds, ...over })).id;
}

async function until<T>(look: () => Promise<T> | T, done: (found: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await look();
    if (done(found) || tries === 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The events of a channel's feed as they come. */
async function listen(chatter: Chatter, channelId: string, lastEventId?: `${number}-${number}`) {
  const events: ChannelEvent[] = [];
  const input = { channelId, ...(lastEventId && { lastEventId }) };
  const subscription = chatter.trpc.feed.channel.subscribe(input, { onData: ({ data }) => events.push(data) });
  const of = <T extends ChannelEvent['type']>(type: T) =>
    events.filter((event): event is Extract<ChannelEvent, { type: T }> => event.type === type);
  const next = async <T extends ChannelEvent['type']>(type: T, count = 1) => {
    const found = await until(
      () => of(type),
      (all) => all.length >= count,
    );
    expect(found.length, `${type} of ${JSON.stringify(events.map((event) => event.type))}`).toBe(count);
    return found[count - 1] as Extract<ChannelEvent, { type: T }>;
  };
  await next('opened');
  return { events, of, next, stop: () => subscription.unsubscribe() };
}

/** The events of a user's inbox as they come. */
async function inboxOf(chatter: Chatter) {
  const events: InboxEvent[] = [];
  const subscription = chatter.trpc.feed.inbox.subscribe({}, { onData: ({ data }) => events.push(data) });
  const last = <T extends InboxEvent['type']>(type: T) =>
    events.findLast((event): event is Extract<InboxEvent, { type: T }> => event.type === type);
  await until(() => last('snapshot'), Boolean);
  return { events, last, stop: () => subscription.unsubscribe() };
}

const get = (chatter: Chatter, channelId: string, messageId: string) =>
  chatter.trpc.message.get.query({ channelId, messageId });
const persisted = (channelId: string, messageId: string) =>
  until(
    () => get(ada, channelId, messageId),
    (message) => message.persisted,
  );

describe('message.edit', () => {
  it.each(['before', 'after'])('[EDIT-1] changes the words %s it is persisted, for every reader', async (when) => {
    const channelId = await group();
    const feed = await listen(bob, channelId);
    const { messageId } = await ada.trpc.message.send.mutate(text(channelId, 'helo'));
    if (when === 'after') await persisted(channelId, messageId);
    const answer = await ada.trpc.message.edit.mutate({ channelId, messageId, body: 'hello' });
    expect(answer).toMatchObject({ messageId, duplicate: false, editedAt: expect.any(Number) });
    expect(await get(bob, channelId, messageId)).toMatchObject({ body: 'hello', editedAt: answer.editedAt });
    const { message } = await feed.next('message.updated');
    expect(message).toMatchObject({ id: messageId, body: 'hello', editedAt: answer.editedAt });
    const { items } = await bob.trpc.message.page.query({ channelId });
    expect(items.map(({ body }) => body)).toEqual(['hello']);
    expect((await bob.trpc.channel.get.query({ channelId })).lastMessage).toMatchObject({ body: 'hello' });
    const rest = await until(
      () => sql('select body, edited_at from messages where id = $1', [messageId]),
      ([row]) => row?.body === 'hello',
    );
    expect(rest).toMatchObject([{ body: 'hello', edited_at: String(answer.editedAt) }]);
    feed.stop();
  });

  it('[EDIT-2] is the author’s alone, and the same operation again changes nothing', async () => {
    const channelId = await group();
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'mine'));
    const edit = (chatter: Chatter, body: string, id: string = randomUUID()) =>
      chatter.trpc.message.edit.mutate({ channelId, messageId, body, op: { id } });
    expect(await failureOf(edit(ada, 'hers'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(edit(eve, 'hers'))).toMatchObject({ code: 'NOT_FOUND' });
    const id = randomUUID();
    const first = await edit(bob, 'first', id);
    expect(await edit(bob, 'second', id)).toMatchObject({ position: first.position, duplicate: true });
    expect(await get(ada, channelId, messageId)).toMatchObject({ body: 'first' });
    const nothing = { channelId, messageId: randomUUID(), body: 'x' };
    expect(await failureOf(bob.trpc.message.edit.mutate(nothing))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('message.delete', () => {
  it.each(['before', 'after'])('[EDIT-3] takes the words away %s it is persisted; the place stays', async (when) => {
    const channelId = await group();
    const feed = await listen(bob, channelId);
    const { messageId, position } = await ada.trpc.message.send.mutate(text(channelId, 'secret'));
    if (when === 'after') await persisted(channelId, messageId);
    const { deletedAt } = await ada.trpc.message.delete.mutate({ channelId, messageId });
    const gone = { id: messageId, body: '', deletedAt, position };
    expect(await get(bob, channelId, messageId)).toMatchObject(gone);
    expect(await feed.next('message.deleted')).toMatchObject({ messageId, messagePosition: position, deletedAt });
    const again = await ada.trpc.message.delete.mutate({ channelId, messageId });
    expect(again).toMatchObject({ duplicate: true });
    const edit = ada.trpc.message.edit.mutate({ channelId, messageId, body: 'back' });
    expect(await failureOf(edit)).toMatchObject({ code: 'NOT_FOUND' });
    const react = ada.trpc.reaction.add.mutate({ channelId, messageId, emoji: '👍' });
    expect(await failureOf(react)).toMatchObject({ code: 'NOT_FOUND' });
    await until(
      () => sql('select body from messages where id = $1', [messageId]),
      ([row]) => row?.body === '',
    );
    expect((await bob.trpc.message.page.query({ channelId })).items).toMatchObject([gone]);
    // Who was away is not shown the words on his return.
    const late = await listen(bob, channelId, '0-0');
    expect((await late.next('message.created')).message).toMatchObject({ body: '', deletedAt });
    expect(await late.next('message.deleted')).toMatchObject({ messageId });
    late.stop();
    feed.stop();
  });

  it('[EDIT-4] a moderator deletes what others said, a member does not', async () => {
    const channelId = await group([bob, eve]);
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'rude'));
    const remove = (chatter: Chatter) => chatter.trpc.message.delete.mutate({ channelId, messageId });
    expect(await failureOf(remove(eve))).toMatchObject({ code: 'FORBIDDEN' });
    await ada.trpc.member.setRole.mutate({ channelId, userId: eve.userId, role: 'moderator' });
    await remove(eve);
    expect(await get(bob, channelId, messageId)).toMatchObject({ body: '' });
  });
});

describe('reactions', () => {
  it('[REACT-1] are counted once a user, shown to each with his own, live and fetched', async () => {
    const channelId = await group();
    const feeds = await Promise.all([listen(ada, channelId), listen(bob, channelId)]);
    const { messageId } = await ada.trpc.message.send.mutate(text(channelId, 'good?'));
    const react = { channelId, messageId, emoji: '👍' };
    expect((await bob.trpc.reaction.add.mutate(react)).reactions).toEqual([{ emoji: '👍', count: 1, mine: true }]);
    expect(await bob.trpc.reaction.add.mutate(react)).toMatchObject({ position: null });
    await ada.trpc.reaction.add.mutate({ ...react, emoji: '🎉' });
    const seenBy = (own: string) => [
      { emoji: '🎉', count: 1, mine: own === '🎉' },
      { emoji: '👍', count: 1, mine: own === '👍' },
    ];
    const sort = (reactions: Message['reactions']) => [...reactions].sort((a, b) => (a.emoji < b.emoji ? -1 : 1));
    expect(sort((await feeds[0].next('reaction.changed', 2)).reactions)).toEqual(sort(seenBy('🎉')));
    expect(sort((await feeds[1].next('reaction.changed', 2)).reactions)).toEqual(sort(seenBy('👍')));
    expect(sort((await get(bob, channelId, messageId)).reactions)).toEqual(sort(seenBy('👍')));
    await persisted(channelId, messageId);
    await until(
      () => sql('select emoji from reactions where message_id = $1', [messageId]),
      (rows) => rows.length === 2,
    );
    const taken = await bob.trpc.reaction.remove.mutate(react);
    expect(taken.reactions).toEqual([{ emoji: '🎉', count: 1, mine: false }]);
    expect(await failureOf(eve.trpc.reaction.add.mutate(react))).toMatchObject({ code: 'NOT_FOUND' });
    for (const feed of feeds) feed.stop();
  });

  it('[REACT-2] a message has at most 20 different ones; what is no emoji is refused', async () => {
    const channelId = await group();
    const { messageId } = await ada.trpc.message.send.mutate(text(channelId, 'many'));
    const react = (emoji: string) => ada.trpc.reaction.add.mutate({ channelId, messageId, emoji });
    for (let i = 0; i < 20; i++) await react(String.fromCodePoint(0x1f600 + i));
    expect(await failureOf(react('🚀'))).toMatchObject({ code: 'INVALID' });
    expect(await failureOf(react('not an emoji'))).toMatchObject({ code: 'INVALID' });
    expect(await failureOf(react('<b>'))).toMatchObject({ code: 'INVALID' });
  });
});

describe('threads', () => {
  it('[THREAD-1] count their replies, live and fetched, through deletes; replies are paged', async () => {
    const channelId = await group();
    const feed = await listen(bob, channelId);
    const { messageId } = await ada.trpc.message.send.mutate(text(channelId, 'topic'));
    await persisted(channelId, messageId);
    const replies = [];
    for (const body of ['one', 'two', 'three']) {
      replies.push(await bob.trpc.message.send.mutate({ ...text(channelId, body), threadOf: messageId }));
    }
    expect((await get(ada, channelId, messageId)).replyCount).toBe(3);
    expect((await feed.next('message.created', 4)).thread).toEqual({ messageId, replyCount: 3 });
    const first = await ada.trpc.message.thread.query({ channelId, messageId, limit: 2 });
    expect(first.items.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(first).toMatchObject({ hasBefore: false, hasAfter: true });
    const after = first.items.at(-1)?.position;
    const rest = await ada.trpc.message.thread.query({ channelId, messageId, limit: 2, ...(after && { after }) });
    expect(rest.items.map(({ body }) => body)).toEqual(['three']);
    await bob.trpc.message.delete.mutate({ channelId, messageId: replies[1]?.messageId ?? '' });
    expect((await feed.next('message.deleted')).thread).toEqual({ messageId, replyCount: 2 });
    expect((await get(ada, channelId, messageId)).replyCount).toBe(2);
    const nested = { ...text(channelId, 'deeper'), threadOf: replies[0]?.messageId ?? '' };
    expect(await failureOf(bob.trpc.message.send.mutate(nested))).toMatchObject({ code: 'INVALID' });
    const nowhere = { ...text(channelId, 'lost'), threadOf: randomUUID() };
    expect(await failureOf(bob.trpc.message.send.mutate(nowhere))).toMatchObject({ code: 'NOT_FOUND' });
    feed.stop();
  });
});

describe('mentions and unread', () => {
  it('[UNREAD-110] count what others said and did not take back, and who was meant, live and fetched', async () => {
    const channelId = await group();
    const inbox = await inboxOf(bob);
    const say = (body: string, mentions: string[] = []) =>
      ada.trpc.message.send.mutate({ ...text(channelId, body), mentions });
    const plain = await say('a');
    const meant = await say('b', [bob.userId, ada.userId, eve.userId]);
    await say('c', [bob.userId]);
    const summary = () => bob.trpc.channel.get.query({ channelId });
    expect(await summary()).toMatchObject({ unread: 3, mentions: 2 });
    expect((await until(() => inbox.last('mention'), Boolean))?.message.channelId).toBe(channelId);
    await ada.trpc.message.delete.mutate({ channelId, messageId: plain.messageId });
    await ada.trpc.message.delete.mutate({ channelId, messageId: meant.messageId });
    expect(await summary()).toMatchObject({ unread: 1, mentions: 1 });
    const activity = await until(
      () => inbox.last('channel.activity'),
      (event) => event?.unread === 1,
    );
    expect(activity).toMatchObject({ unread: 1, mentions: 1 });
    // What Postgres alone counts is the same.
    await until(
      () =>
        sql('select count(*)::int as gone from messages where deleted_at is not null and channel_id = $1', [channelId]),
      ([row]) => row?.gone === 2,
    );
    await log.del(`${createKeys('parley').stemOf(channelId)}ch:${channelId}`);
    expect(await summary()).toMatchObject({ unread: 1, mentions: 1 });
    const { head } = await summary();
    expect(await bob.trpc.receipt.read.mutate({ channelId, position: head ?? '0-0' })).toMatchObject({ unread: 0 });
    expect(await summary()).toMatchObject({ unread: 0, mentions: 0 });
    inbox.stop();
  });
});
