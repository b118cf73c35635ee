import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeys } from '@parley/cache';
import { freePort } from '@parley/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chatter, connectAs, type Stack, startStack, text } from './stack.ts';

const CHANNELS = 20;
const MEMBERS = 10;
const WHILE_AWAY = 12;
const LONG_MS = 60_000;

let stack: Stack;
let owner: Chatter;
let front: Front;
let sql: pg.Client;
let log: Redis;
let watchers: Watcher[];
let channelIds: string[];
const told = new Map<string, string[]>();

interface Watcher {
  readonly chatter: Chatter;
  readonly channelId: string;
  readonly bodies: string[];
  /** Times that a feed of his began, and that it could not be taken up where it was. */
  opened: number;
  resyncs: number;
}

/** What stands between clients and the api: it can cut all of them off at once, and keep them out. */
interface Front extends AsyncDisposable {
  readonly url: string;
  shut(): void;
  open(): void;
}

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', MAX_CONNECTIONS: '1000' });
  await stack.startWorker();
  owner = await stack.user('owner');
  front = await startFront(stack.port);
  sql = new pg.Client({ connectionString: stack.db.url });
  await sql.connect();
  await sql.query('create extension if not exists pg_stat_statements');
  log = new Redis(stack.log.url);
  const seats = Array.from({ length: CHANNELS * MEMBERS }, (_, i) => i);
  const chatters = await Promise.all(
    seats.map(async (i) => {
      const chatter = connectAs({
        url: front.url,
        name: `m${i}`,
        token: await stack.token(`m${i}`),
        protocol: undefined,
      });
      await chatter.trpc.user.me.query();
      return chatter;
    }),
  );
  channelIds = [];
  for (let c = 0; c < CHANNELS; c++) {
    const memberIds = chatters.slice(c * MEMBERS, (c + 1) * MEMBERS).map(({ userId }) => userId);
    channelIds.push((await owner.trpc.channel.create.mutate({ kind: 'group', memberIds })).id);
  }
  watchers = chatters.map((chatter, i) => follow(chatter, channelIds[Math.floor(i / MEMBERS)] ?? ''));
  await until(() => watchers.every(({ opened }) => opened === 1), 'all feeds open');
}, 180_000);

afterAll(async () => {
  await Promise.all((watchers ?? []).map(({ chatter }) => chatter[Symbol.asyncDispose]()));
  await front?.[Symbol.asyncDispose]();
  await sql?.end();
  log?.disconnect();
  await stack?.[Symbol.asyncDispose]();
}, 60_000);

async function startFront(port: number): Promise<Front> {
  const sockets = new Set<Socket>();
  let isShut = false;
  const server: Server = createServer((near) => {
    if (isShut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const own = await freePort();
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${own}`,
    shut: () => {
      isShut = true;
      cut();
    },
    open: () => {
      isShut = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A feed of the stock client, which takes it up again by itself. */
function follow(chatter: Chatter, channelId: string): Watcher {
  const watcher: Watcher = { chatter, channelId, bodies: [], opened: 0, resyncs: 0 };
  chatter.trpc.feed.channel.subscribe(
    { channelId },
    {
      onData: ({ data }) => {
        if (data.type === 'opened') watcher.opened++;
        if (data.type === 'resync') watcher.resyncs++;
        if (data.type === 'message.created') watcher.bodies.push(data.message.body);
      },
    },
  );
  return watcher;
}

async function until(met: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + LONG_MS; !(await met()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
  }
}

async function say(count: number): Promise<void> {
  await Promise.all(
    channelIds.map(async (channelId) => {
      const bodies = told.get(channelId) ?? [];
      told.set(channelId, bodies);
      for (let i = 0; i < count; i++) {
        bodies.push(`${bodies.length + 1}`);
        await owner.trpc.message.send.mutate(text(channelId, bodies.at(-1) ?? ''));
      }
    }),
  );
}

/** Reads of history, as Postgres counts them. */
async function reads(): Promise<number> {
  const { rows } = await sql.query(
    `select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s
       join pg_database d on d.oid = s.dbid and d.datname = current_database()
      where s.query like '%removed_epoch%' and s.query like '%as expired%' and s.query not like '%pg_stat_statements%'`,
  );
  return rows[0].calls;
}

/** Postgres has everything, and the windows are as short as those of channels in which much was said. */
async function persistAndTrim(): Promise<void> {
  const keys = createKeys('parley');
  const waiting = async () => {
    const lengths = await Promise.all(keys.stems.map((stem) => log.xlen(`${stem}log`)));
    return lengths.reduce((sum, length) => sum + length, 0);
  };
  await until(async () => (await waiting()) === 0, 'all persisted');
  for (const channelId of channelIds) await log.xtrim(`${keys.stemOf(channelId)}win:${channelId}`, 'MAXLEN', 2);
}

const caughtUp = () => watchers.every(({ bodies, channelId }) => bodies.length === told.get(channelId)?.length);

function expectNothingLost(): void {
  for (const { bodies, channelId, resyncs } of watchers) {
    expect(bodies).toEqual(told.get(channelId));
    expect(resyncs).toBe(0);
  }
}

it('[FAN-141] all clients are cut off at once while people go on talking: all are back, nothing is lost, and a channel costs Postgres a few reads', async () => {
  await say(3);
  await until(caughtUp, 'all heard');
  const before = await reads();
  front.shut();
  await say(WHILE_AWAY);
  await persistAndTrim();
  front.open();
  await say(3);
  await until(caughtUp, 'all caught up');
  expectNothingLost();
  expect(watchers.every(({ opened }) => opened >= 2)).toBe(true);
  const cost = (await reads()) - before;
  expect(cost).toBeGreaterThanOrEqual(CHANNELS);
  expect(cost).toBeLessThan((CHANNELS * MEMBERS) / 2);
}, 180_000);

it('[FAN-141] control: clients that come back long after one another cost a read each', async () => {
  const [channelId = ''] = channelIds;
  const own = watchers.filter((watcher) => watcher.channelId === channelId).slice(0, 4);
  await say(WHILE_AWAY);
  await until(caughtUp, 'all heard');
  await persistAndTrim();
  const before = await reads();
  for (const { chatter } of own) {
    const { items } = await owner.trpc.message.page.query({ channelId, limit: 8 });
    const lastEventId = items[0]?.position ?? '0-0';
    const opened = Promise.withResolvers<void>();
    const again = chatter.trpc.feed.channel.subscribe({ channelId, lastEventId }, { onData: () => opened.resolve() });
    await opened.promise;
    again.unsubscribe();
    // An answer is kept for two seconds.
    await sleep(2_100);
  }
  expect((await reads()) - before).toBe(own.length);
}, 120_000);
