import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

// What a call costs the stores, counted by the stores themselves.

let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let sql: pg.Client;
let log: Redis;
let cache: Redis;

beforeAll(async () => {
  stack = await startStack();
  [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
  sql = new pg.Client({ connectionString: stack.db.url });
  await sql.connect();
  await sql.query('create extension if not exists pg_stat_statements');
  log = new Redis(stack.log.url);
  cache = new Redis(stack.cache.url);
});

afterAll(async () => {
  await sql?.end();
  log?.disconnect();
  cache?.disconnect();
  await stack?.[Symbol.asyncDispose]();
});

/** Statements of this database, our own questions left out. */
async function statements(): Promise<number> {
  const { rows } = await sql.query(
    `select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s
       join pg_database d on d.oid = s.dbid and d.datname = current_database()
      where s.query not like '%pg_stat_statements%'`,
  );
  return rows[0].calls;
}

/** How often a server ran these commands. What a script calls inside counts as well. */
async function commands(redis: Redis, names: readonly string[]): Promise<Record<string, number>> {
  const info = await redis.info('commandstats');
  const count = (name: string) => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return Object.fromEntries(names.map((name) => [name, count(name)]));
}

async function counts() {
  // What a client may send and no script calls.
  const sent = ['evalsha', 'eval', 'xrange', 'xrevrange'];
  const [sqlCalls, logCalls, cacheCalls] = await Promise.all([
    statements(),
    commands(log, sent),
    commands(cache, ['evalsha', 'eval', 'get', 'set']),
  ]);
  return { sql: sqlCalls, log: logCalls, cache: cacheCalls };
}

async function costOf(work: () => Promise<unknown>) {
  const before = await counts();
  await work();
  const after = await counts();
  const minus = (a: Record<string, number>, b: Record<string, number>) =>
    Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n - (b[name] ?? 0)]));
  return { sql: after.sql - before.sql, log: minus(after.log, before.log), cache: minus(after.cache, before.cache) };
}

describe('what a call costs', () => {
  it('[SEND-25] a send is one script on the log store, at most one on the cache store, and no SQL', async () => {
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId] });
    await ada.trpc.message.send.mutate(text(id, 'loads the header'));
    // It rang for a worker, beside the call.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const sends = 10;
    const cost = await costOf(async () => {
      for (let i = 0; i < sends; i++) await ada.trpc.message.send.mutate(text(id, `${i}`));
    });
    expect(cost.sql).toBe(0);
    expect(cost.log).toEqual({ evalsha: sends, eval: 0, xrange: 0, xrevrange: 0 });
    expect(cost.cache).toMatchObject({ eval: 0 });
    expect(cost.cache.evalsha).toBeLessThanOrEqual(sends);
  });

  it('[SEND-25] the control: a send that has to load the header is seen to cost more', async () => {
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId] });
    const cost = await costOf(() => ada.trpc.message.send.mutate(text(id, 'first')));
    expect(cost.sql).toBeGreaterThan(0);
    expect(cost.log.evalsha).toBeGreaterThan(1);
  });

  it('[SEND-26] without limits a send asks nothing of the cache store', async () => {
    await using free = await startStack({ RATE_LIMIT_ENABLED: 'false' });
    const carol = await free.user('carol');
    const { id } = await carol.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    const redis = new Redis(free.cache.url);
    const before = await commands(redis, ['evalsha', 'eval', 'get', 'set']);
    for (let i = 0; i < 5; i++) await carol.trpc.message.send.mutate(text(id, `${i}`));
    expect(await commands(redis, ['evalsha', 'eval', 'get', 'set'])).toEqual(before);
    redis.disconnect();
  });

  it('[UNREAD-22] channel.list is one statement, two when headers are not loaded, whatever the number of channels', async () => {
    await using many = await startStack({ RATE_LIMIT_ENABLED: 'false' });
    const counter = new pg.Client({ connectionString: many.db.url });
    await counter.connect();
    const [x, y] = await Promise.all([many.user('x'), many.user('y')]);
    const channelIds: string[] = [];
    for (let i = 0; i < 30; i++) {
      channelIds.push((await x.trpc.channel.create.mutate({ kind: 'group', memberIds: [y.userId] })).id);
    }
    const calls = async () =>
      Number(
        (
          await counter.query(
            `select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s
               join pg_database d on d.oid = s.dbid and d.datname = current_database()
              where s.query not like '%pg_stat_statements%'`,
          )
        ).rows[0].calls,
      );
    await counter.query('create extension if not exists pg_stat_statements');
    const cost = async () => {
      const before = await calls();
      const { items } = await y.trpc.channel.list.query();
      expect(items).toHaveLength(30);
      return (await calls()) - before;
    };
    expect(await cost()).toBe(2);
    for (const id of channelIds) await x.trpc.message.send.mutate(text(id, 'loads'));
    expect(await cost()).toBe(1);
    const { items } = await y.trpc.channel.list.query();
    expect(items.every((channel) => channel.unread === 1)).toBe(true);
    await counter.end();
  });
});
