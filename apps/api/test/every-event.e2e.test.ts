import { randomUUID } from 'node:crypto';
import { type ChannelEvent, channelEventSchema, type InboxEvent, inboxEventSchema } from '@parley/protocol';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Admin, sqlOf, startAdmin } from './admin-rig.ts';
import { type Chatter, type Stack, startStack, text } from './stack.ts';
import { streamClient } from './stream-client.ts';

const WITHIN = { timeout: 20_000, interval: 50 };

let stack: Stack;
let admin: Admin;
let ada: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', DRAIN_WINDOW_MS: '2000' });
  admin = await startAdmin(stack);
  ada = await stack.user('ada');
}, 60_000);
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** The types of the events of a feed, as the contract names them. */
function typesOf(schema: typeof channelEventSchema | typeof inboxEventSchema): string[] {
  return schema.def.options.map(({ shape }) => String(shape.type.def.values[0])).sort();
}

/** What one reader is told over a socket and over a stream, each event as the contract says it is. */
function told<E extends ChannelEvent | InboxEvent>(schema: { parse(event: unknown): unknown }) {
  const seen = { socket: new Set<string>(), stream: new Set<string>() };
  const take = (by: keyof typeof seen) => (event: E) => {
    schema.parse(event);
    seen[by].add(event.type);
  };
  const sorted = () => ({ socket: [...seen.socket].sort(), stream: [...seen.stream].sort() });
  return { take, sorted, has: (type: string) => seen.socket.has(type) && seen.stream.has(type) };
}

/** A channel of the two, and everything that can happen in it and to one of them, by every door of his. */
async function follow(bob: Chatter) {
  const { id: channelId } = await ada.trpc.channel.create.mutate({
    kind: 'group',
    name: 'everything',
    memberIds: [bob.userId],
  });
  const stream = streamClient({ base: () => stack.url, token: () => bob.token });
  const [channel, inbox] = [told<ChannelEvent>(channelEventSchema), told<InboxEvent>(inboxEventSchema)];
  const streams = [stream.channel(channelId), stream.inbox(), stream.channel(channelId, '9999999999-1')] as const;
  const pump = () => {
    for (const event of [...streams[0].events, ...streams[2].events]) channel.take('stream')(event);
    for (const event of streams[1].events) inbox.take('stream')(event);
  };
  bob.trpc.feed.channel.subscribe({ channelId }, { onData: ({ data }) => channel.take('socket')(data) });
  const ahead = { channelId, lastEventId: '9999999999-1' as const };
  bob.trpc.feed.channel.subscribe(ahead, { onData: ({ data }) => channel.take('socket')(data) });
  bob.trpc.feed.inbox.subscribe(undefined, { onData: ({ data }) => inbox.take('socket')(data) });
  /** Waits until both doors have told of all of these. */
  const until = (feed: typeof channel | typeof inbox, ...types: string[]) =>
    vi.waitFor(() => {
      pump();
      const missing = types.filter((type) => !feed.has(type));
      expect({ missing, of: feed.sorted() }).toMatchObject({ missing: [] });
    }, WITHIN);
  await until(channel, 'opened', 'resync');
  await until(inbox, 'snapshot');
  return { channelId, channel, inbox, until, leave: () => streams.forEach((one) => void one.leave()) };
}

it('[FAN-112] every event of the contract reaches the stock client, by a socket and by a stream, in the shape of the contract', async () => {
  const bob = await stack.user('bob');
  const { channelId, channel, inbox, until, leave } = await follow(bob);
  // Before there is a worker: a message whose twin stands already, and one that Postgres refuses.
  const twin = text(channelId, 'twin');
  await bob.trpc.message.send.mutate(twin);
  await sqlOf(
    stack,
    `insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, sent_at)
     values ($1, 1, 1, 1, $2, $3, $4, 'twin', 1)`,
    [channelId, randomUUID(), bob.userId, twin.clientMsgId],
  );
  await sqlOf(stack, "alter table messages add constraint no_poison check (body <> 'poison')");
  await bob.trpc.message.send.mutate(text(channelId, 'poison'));
  await bob.trpc.message.send.mutate(text(channelId, 'hello'));
  await stack.startWorker();
  await until(channel, 'message.created', 'message.persisted', 'message.superseded');
  await until(inbox, 'message.persisted', 'message.superseded', 'message.rejected');

  const sent = await ada.trpc.message.send.mutate({ ...text(channelId, 'hello, bob'), mentions: [bob.userId] });
  const inMessage = { channelId, messageId: sent.messageId };
  await ada.trpc.reaction.add.mutate({ ...inMessage, emoji: '👍' });
  await ada.trpc.message.edit.mutate({ ...inMessage, body: 'hello, Bob' });
  await ada.trpc.message.delete.mutate({ ...inMessage });
  await ada.trpc.channel.update.mutate({ channelId, name: 'everything there is' });
  const carol = await stack.user('carol');
  await ada.trpc.member.add.mutate({ channelId, userIds: [carol.userId] });
  await ada.trpc.member.setRole.mutate({ channelId, userId: carol.userId, role: 'moderator' });
  await bob.trpc.receipt.read.mutate({ channelId, position: sent.position });
  await carol.trpc.typing.set.mutate({ channelId, typing: true });
  await carol.trpc.presence.set.mutate({ status: 'away' });
  await until(channel, 'message.updated', 'message.deleted', 'reaction.changed', 'channel.updated');
  await until(channel, 'member.joined', 'member.updated', 'receipt.updated', 'typing.changed', 'presence.changed');
  await ada.trpc.member.remove.mutate({ channelId, userId: carol.userId });
  await until(channel, 'member.left');

  const group = { kind: 'group' as const, name: 'another', memberIds: [] };
  const invited = await ada.trpc.channel.create.mutate(group);
  await ada.trpc.channel.invite.mutate({ channelId: invited.id, userIds: [bob.userId] });
  const other = await ada.trpc.channel.create.mutate({ ...group, memberIds: [bob.userId] });
  await until(inbox, 'mention', 'read', 'channel.activity', 'channel.invited', 'channel.added');
  await ada.trpc.member.remove.mutate({ channelId: other.id, userId: bob.userId });
  await admin.call('POST /v1/announcements', { text: 'We are moving.' });
  await until(inbox, 'channel.removed', 'announcement');
  await stack.cache.kill();
  // Somebody has to ask for it to be missed.
  await vi.waitFor(async () => {
    await ada.trpc.message.send.mutate(text(channelId, 'is it there?'));
    await until(inbox, 'degraded');
  }, WITHIN);
  await stack.cache.restart();
  await until(inbox, 'recovered');
  void stack.thread.drain();
  await until(inbox, 'drain');
  leave();
  expect(channel.sorted()).toEqual({ socket: typesOf(channelEventSchema), stream: typesOf(channelEventSchema) });
  expect(inbox.sorted()).toEqual({ socket: typesOf(inboxEventSchema), stream: typesOf(inboxEventSchema) });
}, 120_000);
