import { setTimeout as sleep } from 'node:timers/promises';
import { createKeys, LogStore, RedisHeaderRegister } from '@parley/cache';
import type { Position } from '@parley/protocol';
import { openStore, type Store } from '@parley/store';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let store: Store;
let redis: Redis;
let register: RedisHeaderRegister;
let ada: Chatter;

beforeAll(async () => {
  stack = await startStack();
  await stack.startWorker();
  store = openStore({ DATABASE_URL: stack.db.url }, { name: 'test' });
  redis = new Redis(stack.log.url);
  register = new RedisHeaderRegister({ store: new LogStore({ redis }), keys: createKeys('parley') });
  ada = await stack.user('ada');
}, 90_000);
afterAll(async () => {
  redis?.disconnect();
  await store?.stop();
  await stack?.[Symbol.asyncDispose]();
});

/** A channel of which retention has removed the first four of eight messages. */
async function expired() {
  const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'old', memberIds: [] });
  const sent: { position: Position; sentAt: number }[] = [];
  for (let i = 0; i < 8; i++) {
    sent.push(await ada.trpc.message.send.mutate({ ...text(channelId, `message ${i}`), ack: 'persisted' }));
    await sleep(2);
  }
  const beforeMs = (sent[3]?.sentAt ?? 0) + 1;
  const { upTo } = await store.housekeeping.removeExpired({ channelId, beforeMs, limit: 1_000 });
  expect(upTo).toBe(sent[3]?.position);
  if (upTo) await register.trimWindow(channelId, upTo);
  return { channelId, positions: sent.map(({ position }) => position) };
}

/** What a feed says, from a position on, until it has said so much. */
async function heard(channelId: string, lastEventId: Position, count: number): Promise<string[]> {
  const said: string[] = [];
  const subscription = ada.trpc.feed.channel.subscribe(
    { channelId, lastEventId },
    {
      onData: ({ data: event }) => {
        if (event.type === 'resync') said.push(`resync ${event.reason} ${event.head}`);
        if (event.type === 'message.created') said.push(event.message.body);
      },
    },
  );
  for (const end = Date.now() + 10_000; said.length < count && Date.now() < end; ) await sleep(20);
  await sleep(100);
  subscription.unsubscribe();
  return said;
}

describe('[JOB-5] a feed that asks for what retention has removed', () => {
  it('is told so, at the head, and goes on from there', async () => {
    const { channelId, positions } = await expired();
    const [first, , third, last, fifth] = positions;
    const resync = [`resync retention ${positions.at(-1)}`];
    expect(await heard(channelId, first as Position, 1)).toEqual(resync);
    expect(await heard(channelId, third as Position, 1)).toEqual(resync);
    // Behind the last one that was removed nothing is missing.
    expect(await heard(channelId, last as Position, 4)).toEqual(['message 4', 'message 5', 'message 6', 'message 7']);
    expect(await heard(channelId, fifth as Position, 3)).toEqual(['message 5', 'message 6', 'message 7']);
  });

  it('pages end where the history begins', async () => {
    const { channelId } = await expired();
    const page = await ada.trpc.message.page.query({ channelId });
    expect(page.items.map(({ body }) => body)).toEqual(['message 4', 'message 5', 'message 6', 'message 7']);
    expect(page.hasBefore).toBe(false);
  });

  it('[JOB-8] after the log store has forgotten the channel everything goes on', async () => {
    const { channelId, positions } = await expired();
    const head = positions.at(-1) ?? null;
    expect(await register.forget(channelId, { head, quietSinceMs: Date.now() + 60_000 })).toBe('forgotten');
    const answer = await ada.trpc.message.send.mutate(text(channelId, 'and on'));
    expect(Number(answer.position.split('-')[1])).toBe(9);
    expect(await heard(channelId, positions[6] as Position, 2)).toEqual(['message 7', 'and on']);
  });
});
