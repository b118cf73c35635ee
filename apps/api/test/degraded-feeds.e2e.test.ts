import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelEvent, InboxEvent, Position } from '@parley/protocol';
import { migrate } from '@parley/store';
import { startPostgres } from '@parley/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type Chatter, failureOf, startStack, text } from './stack.ts';

// What becomes of feeds while a store is away. The stock client does not subscribe again after an error.

const LONG_MS = 20_000;

async function eventually(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const until = Date.now() + LONG_MS; !(await isSo()); await sleep(50)) {
    if (Date.now() > until) throw new Error(`did not come: ${what}`);
  }
}

function listen({ trpc }: Chatter, channelId: string, lastEventId?: Position) {
  const heard = { events: [] as ChannelEvent[], errors: [] as Error[], bodies: () => bodiesOf(heard.events) };
  const feed = trpc.feed.channel.subscribe(
    { channelId, ...(lastEventId !== undefined && { lastEventId }) },
    { onData: ({ data }) => heard.events.push(data), onError: (error) => heard.errors.push(error) },
  );
  return Object.assign(heard, { unsubscribe: () => feed.unsubscribe() });
}

function bodiesOf(events: readonly ChannelEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'message.created' ? [event.message.body] : []));
}

function listenInbox({ trpc }: Chatter) {
  const heard = { events: [] as InboxEvent[], errors: [] as Error[] };
  trpc.feed.inbox.subscribe(undefined, {
    onData: ({ data }) => heard.events.push(data),
    onError: (error) => heard.errors.push(error),
  });
  return heard;
}

async function sent(user: Chatter, channelId: string, body: string) {
  const input = text(channelId, body);
  for (;;) {
    try {
      return await user.trpc.message.send.mutate(input);
    } catch {
      await sleep(100);
    }
  }
}

async function loseSubscribers(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  redis.disconnect();
}

describe('feeds while a store is away', () => {
  it('[DEG-27] the log store is away for a while: open feeds outlive it, a new one is refused, and nothing is missed', async () => {
    await using stack = await startStack();
    await stack.startWorker();
    const [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId] });
    const heard = listen(bob, id);
    const inbox = listenInbox(bob);
    await sent(ada, id, 'before');
    await eventually(() => heard.bodies().length === 1 && inbox.events.length > 0, 'the first message');
    await stack.log.kill();
    await sleep(5_000);
    const late = listen(bob, id);
    await eventually(() => late.errors.length === 1, 'a refusal');
    expect(await failureOf(Promise.reject(late.errors[0]))).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    await stack.log.restart();
    await sent(ada, id, 'after');
    await eventually(() => heard.bodies().length === 2, 'the message after');
    expect(heard.bodies()).toEqual(['before', 'after']);
    const activity = () => inbox.events.flatMap((e) => (e.type === 'channel.activity' ? [e.lastMessage?.body] : []));
    await eventually(() => activity().at(-1) === 'after', 'the activity after');
    expect([...heard.errors, ...inbox.errors]).toEqual([]);
  }, 60_000);

  it('[DEG-28] Postgres is away for a while: open feeds go on, and one that needs only the window is opened', async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase();
    await migrate(url);
    await using stack = await startStack({ DATABASE_URL: url });
    await stack.startWorker();
    const [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId] });
    const heard = listen(bob, id);
    const inbox = listenInbox(bob);
    const { position } = await sent(ada, id, '1');
    await eventually(() => heard.bodies().length === 1 && inbox.events.length > 0, 'the first message');
    await postgres.kill();
    await sent(ada, id, '2');
    await eventually(() => heard.bodies().length === 2, 'the second message');
    const resumed = listen(bob, id, position);
    await eventually(() => resumed.bodies().length === 1, 'what the window has');
    // After a lost connection membership is read again, which needs Postgres.
    await loseSubscribers(stack.log.url);
    await sleep(3_000);
    await postgres.restart();
    await sent(ada, id, '3');
    await eventually(() => heard.bodies().length === 3 && resumed.bodies().length === 2, 'the third message');
    const activity = () => inbox.events.flatMap((e) => (e.type === 'channel.activity' ? [e.lastMessage?.body] : []));
    await eventually(() => activity().at(-1) === '3', 'the activity after');
    expect([...heard.errors, ...resumed.errors, ...inbox.errors]).toEqual([]);
  }, 90_000);
});
