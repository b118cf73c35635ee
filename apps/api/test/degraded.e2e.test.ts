import type { InboxEvent } from '@parley/protocol';
import { migrate } from '@parley/store';
import { startPostgres } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// What still works while a store is away.

let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let channelId: string;

beforeAll(async () => {
  stack = await startStack({ LOG_TIMEOUT_MS: '500', RATE_LIMIT_ENABLED: 'true' });
  await stack.startWorker();
  [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
  channelId = (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId] })).id;
  for (const body of ['one', 'two']) {
    await ada.trpc.message.send.mutate({ ...text(channelId, body), ack: 'persisted' });
  }
});

afterAll(() => stack?.[Symbol.asyncDispose]());

async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describe('a store is away', () => {
  it('[DEG-24] cache store: everything works, limits are counted here', async () => {
    await stack.cache.kill();
    expect(await ada.trpc.message.send.mutate(text(channelId, 'three'))).toMatchObject({ level: 'accepted' });
    expect((await bob.trpc.channel.list.query()).items).toHaveLength(1);
    await stack.cache.restart();
  });

  it('[DEG-25] log store: sends are refused fast with a time, reads come from Postgres, and users are told', async () => {
    const events: InboxEvent[] = [];
    const inbox = bob.trpc.feed.inbox.subscribe(undefined, { onData: ({ data }) => events.push(data) });
    await eventually(async () => expect(events.map((e) => e.type)).toContain('snapshot'));
    await stack.log.kill();
    const began = Date.now();
    const refused = await failureOf(ada.trpc.message.send.mutate(text(channelId, 'x')));
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(['UNAVAILABLE', 'UNKNOWN_RETRY']).toContain(refused.code);
    expect(refused).toMatchObject({ retryable: true, retryAfterMs: expect.any(Number) });
    const { items } = await bob.trpc.message.page.query({ channelId });
    expect(items.slice(0, 2).map((m) => m.body)).toEqual(['one', 'two']);
    expect((await bob.trpc.channel.get.query({ channelId })).unread).toBeGreaterThanOrEqual(2);
    expect((await bob.trpc.member.list.query({ channelId })).items).toHaveLength(2);
    const eve = await stack.user('eve');
    expect(await failureOf(eve.trpc.message.page.query({ channelId }))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await stack.thread.standing()).dependencies).toMatchObject({ log: { ok: false }, postgres: { ok: true } });
    await stack.log.restart();
    const sent = await eventually(() => ada.trpc.message.send.mutate(text(channelId, 'after')));
    expect(sent).toMatchObject({ level: 'accepted' });
    const told = () =>
      events.flatMap((e) => ((e.type === 'degraded' || e.type === 'recovered') && e.store === 'log' ? e.type : []));
    await eventually(async () => expect(told()).toEqual(['degraded', 'recovered']));
    inbox.unsubscribe();
  }, 40_000);

  it('[DEG-26] Postgres: sends go on, the window is served, what needs Postgres is refused fast; all is well after it', async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase();
    await migrate(url);
    await using own = await startStack({ DATABASE_URL: url });
    const [x, y] = await Promise.all([own.user('x'), own.user('y')]);
    const { id } = await x.trpc.channel.create.mutate({ kind: 'group', memberIds: [y.userId] });
    await x.trpc.message.send.mutate(text(id, 'before'));
    await postgres.kill();
    const input = text(id, 'during');
    expect(await x.trpc.message.send.mutate(input)).toMatchObject({ level: 'accepted' });
    expect(await x.trpc.message.send.mutate(input)).toMatchObject({ duplicate: true });
    const { items } = await y.trpc.message.page.query({ channelId: id });
    expect(items.map((m) => m.body)).toEqual(['before', 'during']);
    // Whoever connects now comes in, too.
    const again = await own.user('y', { token: await own.token('y', { name: 'renamed' }) });
    expect(await again.trpc.message.send.mutate(text(id, 'mine'))).toMatchObject({ level: 'accepted' });
    const began = Date.now();
    const codes = await Promise.all([
      failureOf(x.trpc.channel.list.query()),
      failureOf(x.trpc.channel.create.mutate({ kind: 'group', memberIds: [] })),
      failureOf(x.trpc.member.remove.mutate({ channelId: id, userId: y.userId })),
    ]);
    expect(codes.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(Date.now() - began).toBeLessThan(10_000);
    await postgres.restart();
    const list = await eventually(() => x.trpc.channel.list.query());
    expect(list.items).toMatchObject([{ id, lastMessage: { body: 'mine' } }]);
  }, 60_000);
});
