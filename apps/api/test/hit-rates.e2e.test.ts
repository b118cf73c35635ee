import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cases } from '../src/context.ts';
import { type ReaderRig, startReader } from './reader-rig.ts';
import { type Chatter, type Stack, startStack } from './stack.ts';

// A thousand users of two nodes, from a cold start. The mix, and why it is this one: docs/caches.md.

const USERS = 1_000;
const CHANNELS = 100;
const MEMBERS = 40;
const CALLERS_AT_ONCE = 48;
const ACTIONS = 100_000;
/** Some 25 s on two idle cores. */
const WITHIN_MS = 150_000;

const userId = (i: number) => `20000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
const channelId = (i: number) => `10000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
const membersOf = (channel: number) => Array.from({ length: MEMBERS }, (_, i) => (channel * 10 + i * 23) % USERS);

/** Somebody who does something, and a channel of his. */
interface Turn {
  readonly cases: Cases;
  readonly caller: { readonly userId: string; readonly name: string };
  readonly channelId: string;
  readonly others: readonly string[];
}

/** How often each is done, beside the others. */
const MIX: readonly (readonly [weight: number, act: (turn: Turn) => Promise<unknown>])[] = [
  [300, ({ cases, caller, channelId: id }) => cases['message.page'](caller, { channelId: id, limit: 20 })],
  [250, ({ cases, caller }) => cases['channel.list'](caller, { limit: 50 })],
  [150, ({ cases, caller, channelId: id }) => cases['channel.get'](caller, { channelId: id })],
  [150, ({ cases, caller, channelId: id }) => cases['member.list'](caller, { channelId: id, limit: 20 })],
  [50, ({ cases, caller, others }) => cases['user.get'](caller, { userIds: [...others] })],
  [400, ({ cases, caller }) => cases['user.contacts'](caller, undefined)],
  [50, ({ cases, caller, channelId: id }) => cases['channel.stats'](caller, { channelId: id })],
  [
    50,
    ({ cases, caller, channelId: id }) =>
      cases['message.send'](caller, { channelId: id, clientMsgId: randomUUID(), body: 'hello', ack: 'accepted' }),
  ],
];

/** Each as often as its weight says. */
const BAG = MIX.flatMap(([weight, act]) => Array.from({ length: weight / 10 }, () => act));

/** What each cache must do at least. */
const LEAST: readonly (readonly [cache: string, rate: number])[] = [
  ['members', 0.95],
  ['contacts', 0.95],
  ['sets', 0.9],
  ['channels', 0.9],
  ['recent', 0.9],
  ['stats', 0.9],
];

let stack: Stack;
let owner: Chatter;
let sql: pg.Client;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  owner = await stack.user('owner');
  sql = new pg.Client({ connectionString: stack.db.url });
  await sql.connect();
  await sql.query('create extension if not exists pg_stat_statements');
  await sql.query(
    `insert into users (id, name, claims_hash, created_at)
     select unnest($1::uuid[]), 'somebody', '', 1`,
    [Array.from({ length: USERS }, (_, i) => userId(i))],
  );
  for (let c = 0; c < CHANNELS; c++) {
    const members = [owner.userId, ...new Set(membersOf(c))].map((m) => (typeof m === 'number' ? userId(m) : m));
    await sql.query(
      `insert into channels (id, kind, name, member_limit, member_count, created_at) values ($1, 'group', $2, 100, $3, $4)`,
      [channelId(c), `channel ${c}`, members.length, c],
    );
    await sql.query(
      `insert into channel_members (channel_id, user_id, rank, joined_at)
       select $1, m, case when m = $3 then 5 else 2 end, 1 from unnest($2::uuid[]) m`,
      [channelId(c), members, owner.userId],
    );
  }
  await stack.startWorker();
});
afterAll(async () => {
  await sql?.end();
  await stack?.[Symbol.asyncDispose]();
});

/** Statements of the readers, who have a role of their own. */
async function statements(role: string): Promise<number> {
  const { rows } = await sql.query(
    'select coalesce(sum(calls), 0)::int as calls from pg_stat_statements where userid = $1::regrole',
    [role],
  );
  return Number(rows[0].calls);
}

const channelsOf = Map.groupBy(
  Array.from({ length: CHANNELS }, (_, c) => membersOf(c).map((user) => ({ user, channel: c }))).flat(),
  ({ user }) => user,
);
const active = [...channelsOf.keys()];

/** The same numbers every time. */
function randomNumbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Now and then somebody comes or goes. */
async function moveSomebody(random: (below: number) => number): Promise<void> {
  const channel = { channelId: channelId(random(CHANNELS)) };
  const user = userId(active[random(active.length)] ?? 0);
  const move =
    random(2) === 0
      ? owner.trpc.member.add.mutate({ ...channel, userIds: [user] })
      : owner.trpc.member.remove.mutate({ ...channel, userId: user });
  // He is there, or is not.
  await move.catch(() => undefined);
}

/** Plays the mix until it is over, or time is. Says how many actions there were, and how many statements. */
async function play(env: Record<string, string>, actions: number) {
  const role = `reader_${randomUUID().slice(0, 8)}`;
  await sql.query(`create role ${role} superuser login password 'secret'`);
  const DATABASE_URL = Object.assign(new URL(stack.db.url), { username: role, password: 'secret' }).toString();
  const nodes = await Promise.all([0, 1].map(() => startReader({ ...stack.env, ...env, DATABASE_URL })));
  const random = randomNumbers(7);
  const deadline = Date.now() + WITHIN_MS;
  let done = 0;
  const one = async () => {
    const user = active[random(active.length)] ?? 0;
    const own = channelsOf.get(user) ?? [];
    const turn: Turn = {
      cases: (nodes[random(nodes.length)] as ReaderRig).cases,
      caller: { userId: userId(user), name: 'somebody' },
      channelId: channelId(own[random(own.length)]?.channel ?? 0),
      others: [1, 2, 3].map(() => userId(active[random(active.length)] ?? 0)),
    };
    // Who has just been removed may be the one who acts.
    await BAG[random(BAG.length)]?.(turn).catch((error: { code?: string }) => expect(error.code).toBe('NOT_FOUND'));
  };
  const caller = async () => {
    while (done < actions && Date.now() < deadline) {
      done++;
      if (done % 600 === 0) await moveSomebody(random);
      await one();
    }
  };
  await Promise.all(Array.from({ length: CALLERS_AT_ONCE }, caller));
  const spent = await statements(role);
  const texts = await Promise.all(nodes.map(({ metrics }) => metrics.text()));
  for (const node of nodes) await node[Symbol.asyncDispose]();
  await sql.query(`drop role ${role}`);
  return { actions: done, statements: spent, rateOf: (cache: string) => rateOf(texts, cache) };
}

/** As `/metrics` gives it, over all nodes. */
function rateOf(texts: readonly string[], cache: string): number {
  const sum = { hit: 0, miss: 0, error: 0 };
  for (const text of texts) {
    const found = text.matchAll(
      new RegExp(`^cache_requests_total\\{cache="${cache}",outcome="(\\w+)"\\} (\\d+)$`, 'gm'),
    );
    for (const [, outcome = '', count] of found) sum[outcome as keyof typeof sum] += Number(count);
  }
  return sum.hit / (sum.hit + sum.miss + sum.error);
}

describe('a thousand users', () => {
  it(
    '[CACHE-45] find copies of what they ask for, from a cold start, and Postgres is spared nine statements of ten',
    async () => {
      const played = await play({}, ACTIONS);
      for (const [cache, least] of LEAST) expect(played.rateOf(cache), cache).toBeGreaterThanOrEqual(least);
      // The naive baseline: one statement an action.
      expect(played.statements).toBeLessThanOrEqual(played.actions / 10);
    },
    2 * WITHIN_MS,
  );

  it(
    '[CACHE-45] the control: without copies the same mix costs ten times as many',
    async () => {
      const played = await play({ CACHE_ENABLED: 'false' }, ACTIONS / 10);
      expect(played.rateOf('members')).toBeNaN();
      expect(played.statements).toBeGreaterThan(played.actions / 2);
    },
    2 * WITHIN_MS,
  );
});
