import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createConnection } from '@parley/cache';
import { createLog } from '@parley/runtime';
import { migrate } from '@parley/store';
import { freePort, startRedis } from '@parley/testing';
import { needs } from '@parley/testing/vitest';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../packages/testing/src/cluster.ts';
import { StockUser, signIn } from '../packages/testing/test/stock-user.ts';
import { clockFault } from './doctor/finding.ts';

const prlimit = needs('prlimit');

interface Said {
  readonly code: number;
  readonly ok: boolean;
  /** `fault redis-log-policy`, as the checks are named. */
  readonly names: readonly string[];
  readonly text: string;
}

/** Runs the command as it is, in an environment of its own. */
function doctor(env: Record<string, string>, ...around: string[]): Promise<Said> {
  const line = [...around, process.execPath, '--conditions=@parley/source', 'tools/doctor.ts', '--json'];
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...env } };
    const child = execFile(line[0] ?? '', line.slice(1), options, (_, stdout, stderr) => {
      if (stdout === '') return reject(new Error(stderr));
      const { ok, findings } = JSON.parse(stdout) as {
        ok: boolean;
        findings: Record<'check' | 'level' | 'fault' | 'cure', string>[];
      };
      const names = findings.map(({ level, check }) => `${level} ${check}`);
      const text = findings.map(({ fault, cure }) => `${fault} → ${cure}`).join('\n');
      resolve({ code: child.exitCode ?? -1, ok, names, text });
    });
  });
}

type Connection = ReturnType<typeof createConnection>;

async function connectTo(url: string): Promise<Connection> {
  const redis = createConnection({ url, kind: 'log', log: createLog({ name: 'test', level: 'silent' }) });
  await connect(redis);
  return redis;
}

let cluster: Cluster;
let healthy: Record<string, string>;
let log: Connection;
let cache: Connection;
beforeAll(async () => {
  cluster = await startCluster({ apis: 1, workers: 1, migrate });
  healthy = { ...cluster.env, PORT: String(cluster.apis[0]?.port) };
  log = await connectTo(cluster.log.url);
  cache = await connectTo(cluster.cache.url);
});
afterAll(async () => {
  log?.disconnect();
  cache?.disconnect();
  await cluster?.[Symbol.asyncDispose]();
});

async function sql(text: string, url = cluster.databaseUrl): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

/** Another database of the server, as the statement makes it. */
async function databaseBy(create: (name: string) => string): Promise<string> {
  const name = `d${randomUUID().slice(0, 8)}`;
  await sql(create(name), cluster.postgres.url);
  return Object.assign(new URL(cluster.databaseUrl), { pathname: `/${name}` }).toString();
}

/** What is broken, the environment in which it is, and how it is mended again. */
type Broken = () => Promise<{ env?: Record<string, string>; mend?: () => Promise<unknown> }>;

/** As redis.conf would have it. */
const configured = (which: () => Connection, name: string, values: { bad: string; good: string }): Broken => {
  return async () => {
    await which().config('SET', name, values.bad);
    return { mend: () => which().config('SET', name, values.good) };
  };
};

const SET_UPS: readonly [what: string, named: { check: string; cure: RegExp }, broken: Broken][] = [
  ['a secret too short', { check: 'settings', cure: /openssl rand/ }, async () => ({ env: { AUTH_SECRET: 'short' } })],
  [
    'no Postgres at the address',
    { check: 'postgres', cure: /start Postgres/ },
    async () => ({ env: { DATABASE_URL: `postgres://x:x@127.0.0.1:${await freePort()}/x` } }),
  ],
  [
    'a database of another name',
    { check: 'postgres', cure: /CREATE DATABASE/ },
    async () => ({
      env: { DATABASE_URL: Object.assign(new URL(cluster.databaseUrl), { pathname: '/no' }).toString() },
    }),
  ],
  [
    'a database without tables',
    { check: 'postgres-migrations', cure: /npm run migrate/ },
    async () => ({ env: { DATABASE_URL: await databaseBy((name) => `create database ${name} template template0`) } }),
  ],
  [
    'a database whose locale knows no letters',
    { check: 'postgres-locale', cure: /C\.UTF-8/ },
    async () => {
      const url = await databaseBy((name) => `create database ${name} template template0 locale 'C'`);
      await migrate(url);
      // Of another name in the log store, where nothing is of it yet.
      return { env: { DATABASE_URL: url, KEY_PREFIX: 'another' } };
    },
  ],
  [
    'a database that takes no writes',
    { check: 'postgres-read-only', cure: /primary/ },
    async () => {
      const set = (value: string) =>
        sql(`do $$ begin execute format('alter database %I ${value}', current_database()); end $$`);
      await set('set default_transaction_read_only = on');
      const client = new pg.Client({ connectionString: cluster.databaseUrl });
      return {
        mend: async () => {
          await client.connect();
          await client.query('set default_transaction_read_only = off');
          await client.query(
            `do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$`,
          );
          await client.end();
        },
      };
    },
  ],
  [
    'a log store that evicts',
    { check: 'redis-log-policy', cure: /noeviction/ },
    configured(() => log, 'maxmemory-policy', { bad: 'allkeys-lru', good: 'noeviction' }),
  ],
  [
    'a log store without append-only file',
    { check: 'redis-log-aof', cure: /appendonly yes/ },
    configured(() => log, 'appendonly', { bad: 'no', good: 'yes' }),
  ],
  [
    'a log store that flushes later than promised',
    { check: 'redis-log-fsync', cure: /appendfsync/ },
    configured(() => log, 'appendfsync', { bad: 'everysec', good: 'always' }),
  ],
  [
    'a log store that is full',
    { check: 'redis-log-memory', cure: /raise maxmemory/ },
    configured(() => log, 'maxmemory', { bad: '2mb', good: '0' }),
  ],
  [
    'a log store that is a replica',
    { check: 'redis-log-role', cure: /REPLICAOF NO ONE/ },
    async () => {
      const replica = await startRedis({ appendonly: 'always' });
      const client = await connectTo(replica.url);
      await client.replicaof('127.0.0.1', cluster.log.port);
      client.disconnect();
      return { env: { REDIS_LOG_URL: replica.url }, mend: async () => replica[Symbol.asyncDispose]() };
    },
  ],
  [
    'a cache store that never evicts',
    { check: 'redis-cache-policy', cure: /allkeys-lru/ },
    configured(() => cache, 'maxmemory-policy', { bad: 'noeviction', good: 'allkeys-lru' }),
  ],
  [
    'one server for both stores',
    { check: 'redis-two-servers', cure: /second Redis/ },
    async () => ({ env: { REDIS_CACHE_URL: cluster.log.url } }),
  ],
  [
    'a cache store that wants a password',
    { check: 'redis-cache', cure: /password into REDIS_CACHE_URL/ },
    async () => {
      await cache.config('SET', 'requirepass', 'secret');
      return { mend: () => cache.config('SET', 'requirepass', '') };
    },
  ],
  [
    'too few replicas',
    { check: 'redis-log-replicas', cure: /LOG_REPLICAS/ },
    async () => ({ env: { LOG_REPLICAS: '1' } }),
  ],
  [
    'a port that somebody else has',
    { check: 'port', cure: /PORT/ },
    async () => {
      const other = createServer((socket) => socket.destroy());
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const address = other.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      return { env: { PORT: port }, mend: async () => void other.close() };
    },
  ],
  [
    'an issuer that is away',
    { check: 'jwks', cure: /AUTH_JWKS_URL/ },
    async () => ({
      env: {
        AUTH_SECRET: '',
        DEV_TOKENS: 'false',
        FILES_SECRET: 'x'.repeat(32),
        AUTH_JWKS_URL: `http://127.0.0.1:${await freePort()}/keys`,
      },
    }),
  ],
  [
    'a log store that was replaced',
    { check: 'epochs', cure: /opens a new epoch/ },
    async () => {
      const other = await startRedis({ appendonly: 'always' });
      return { env: { REDIS_LOG_URL: other.url }, mend: async () => other[Symbol.asyncDispose]() };
    },
  ],
];

describe('npm run doctor', () => {
  it('[OPS-10] control: finds nothing wrong with a stack that works, and ends with 0', async () => {
    const said = await doctor(healthy);
    expect(said, said.text).toMatchObject({ code: 0, ok: true, names: [] });
  });

  it.each(SET_UPS)('[OPS-10] names %s and its cure, and ends with 1', async (_what, { check, cure }, broken) => {
    const { env, mend } = await broken();
    const said = await doctor({ ...healthy, ...env }).finally(() => mend?.());
    expect(said.names, said.text).toEqual([`fault ${check}`]);
    expect(said.text).toMatch(cure);
    expect(said).toMatchObject({ code: 1, ok: false });
  });

  prlimit.test('[OPS-10] names a limit of open files that is too low', async () => {
    const said = await doctor(healthy, prlimit.path, '--nofile=1024:1024');
    expect(said).toMatchObject({ code: 1, names: ['fault open-files'] });
    expect(said.text).toMatch(/1024 files.*LimitNOFILE/);
  });

  it('[OPS-11] a newer schema is a remark, not a fault', async () => {
    await sql(`insert into migrations (name, executed_at) values ('20991231-later', now())`);
    const said = await doctor(healthy).finally(() => sql(`delete from migrations where name = '20991231-later'`));
    expect(said).toMatchObject({ code: 0, ok: true, names: ['remark postgres-newer'] });
  });

  it('[OPS-10] names a backlog that nobody drains', async () => {
    await cluster.workers[0]?.stop();
    const url = cluster.apis[0]?.url ?? '';
    await using ann = new StockUser('ann', await signIn(url, 'ann'), () => url);
    const { id } = await ann.client.channel.create.mutate({ kind: 'group', name: 'x', memberIds: [] });
    await ann.send(id, 'waits');
    let said = await doctor(healthy);
    for (const until = Date.now() + 30_000; said.ok && Date.now() < until; said = await doctor(healthy))
      await sleep(500);
    expect(said, said.text).toMatchObject({ code: 1, names: ['fault backlog'] });
    expect(said.text).toMatch(/1 entries wait.*npm run worker/);
  }, 60_000);

  it('[OPS-10] names a clock that is off by more than tokens are forgiven', () => {
    expect(clockFault('Postgres', 5_000)).toBeNull();
    expect(clockFault('Postgres', -61_000)).toBe('the clock of Postgres is 61 s behind that of this machine');
  });
});
