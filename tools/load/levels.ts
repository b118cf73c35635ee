import { readdirSync } from 'node:fs';
import { close, connect, createConnection } from '@parley/cache';
import { createLog } from '@parley/runtime';
import pg from 'pg';
import { parseMetrics, scrape, sumOf } from './scrape.ts';
import type { Target } from './stack.ts';

/** What is held at one moment, and should be the same an hour later. Null where nobody says. */
export interface Level {
  readonly second: number;
  /** Of all threads of one api; it falls with each collection, so that the lowest of some tell. */
  readonly heapMiB: number | null;
  readonly connections: number | null;
  /** Open feeds. */
  readonly listeners: number | null;
  /** Of api and worker. */
  readonly files: number | null;
  /** Of both Redis servers. */
  readonly keys: number | null;
  readonly sqlConnections: number | null;
}

const MIB = 2 ** 20;
const ANSWER_MS = 5_000;
const log = createLog({ name: 'load', level: 'fatal' });

/** Looks at everything that can be reached; what cannot is null. */
export async function levelOf({ ops, pids, stores }: Target, second: number): Promise<Level> {
  const text = await scrape(ops);
  const samples = text === null ? null : parseMetrics(text);
  const of = (name: string) => samples && sumOf(samples, name);
  const heap = of('thread_heap_used_bytes');
  const [logKeys, cacheKeys] = await Promise.all([keysIn(stores?.REDIS_LOG_URL), keysIn(stores?.REDIS_CACHE_URL)]);
  return {
    second,
    heapMiB: heap === null ? null : heap / MIB,
    connections: of('socket_connections'),
    listeners: of('hub_listeners'),
    files: filesOf([...(pids.api ?? []), ...(pids.worker ?? [])]),
    keys: logKeys === null || cacheKeys === null ? null : logKeys + cacheKeys,
    sqlConnections: await sqlConnections(stores?.DATABASE_URL),
  };
}

function filesOf(pids: readonly number[]): number | null {
  try {
    return pids.length === 0 ? null : pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
  } catch {
    return null; // There is no /proc, or the process belongs to somebody else.
  }
}

async function keysIn(url: string | undefined): Promise<number | null> {
  if (!url) return null;
  const redis = createConnection({ url, kind: 'log', timeoutMs: ANSWER_MS, log });
  try {
    await connect(redis);
    return await redis.dbsize();
  } catch {
    return null; // It is said to be unknown.
  } finally {
    await close(redis);
  }
}

async function sqlConnections(url: string | undefined): Promise<number | null> {
  if (!url) return null;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS });
  try {
    await client.connect();
    const { rows } = await client.query<{ count: string }>(
      'select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    return Number(rows[0]?.count);
  } catch {
    return null; // It is said to be unknown.
  } finally {
    await client.end().catch(() => undefined);
  }
}
