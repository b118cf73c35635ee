import { close, connect, createConnection } from '@parley/cache';
import { createLog } from '@parley/runtime';
import { clockOffset, type Finding } from './finding.ts';

export type Redis = ReturnType<typeof createConnection>;

/** What a Redis server says of itself. */
export interface RedisFacts {
  readonly version: string;
  readonly role: string;
  readonly replicas: number;
  /** Bytes; `maxMemory` 0: no limit. */
  readonly usedMemory: number;
  readonly maxMemory: number;
  readonly lastWriteOk: boolean;
  readonly clockOffsetMs: number;
}

const CONNECT_MS = 3_000;

/** An open connection, or why there is none. The caller closes it. */
export async function openRedis(store: 'log' | 'cache', url: string): Promise<Redis | Finding> {
  const log = createLog({ name: 'doctor', level: 'silent' });
  const redis = createConnection({ url, kind: store, timeoutMs: CONNECT_MS, log });
  let error: Error | undefined;
  redis.on('error', (latest) => {
    error = latest;
  });
  await connect(redis, CONNECT_MS);
  if (redis.status === 'ready') return redis;
  await close(redis);
  return unreachable(store, error, new URL(url));
}

export async function readRedis(redis: Redis): Promise<RedisFacts> {
  const asked = Date.now();
  const [seconds, micros] = await redis.time();
  const clockOffsetMs = clockOffset(Number(seconds) * 1_000 + Number(micros) / 1_000, asked, Date.now());
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return {
    version: field('redis_version'),
    role: field('role'),
    replicas: Number(field('connected_slaves') || 0),
    usedMemory: Number(field('used_memory') || 0),
    maxMemory: Number(field('maxmemory') || 0),
    lastWriteOk: field('aof_last_write_status') !== 'err',
    clockOffsetMs,
  };
}

const CURES: readonly (readonly [RegExp, fault: string, cure: string])[] = [
  [/ECONNREFUSED/, 'nobody listens there', 'start it, or correct'],
  [/ENOTFOUND/, 'there is no such host', 'correct the host in'],
  [/NOAUTH|WRONGPASS/, 'it refuses the password', 'put user and password into'],
  [/LOADING/, 'it still loads its data', 'wait, and correct if it lasts'],
];

function unreachable(store: 'log' | 'cache', error: Error | undefined, { host }: URL): Finding {
  const setting = `REDIS_${store.toUpperCase()}_URL`;
  const words = error?.message ?? 'no answer in time';
  const known = CURES.find(([pattern]) => pattern.test(words));
  const fault = `the ${store} store at ${host} cannot be used: ${known?.[1] ?? words}`;
  const cure = known
    ? `${known[2]} ${setting}`
    : `see that ${setting} is right, and that nothing between is in the way`;
  return { check: `redis-${store}`, level: 'fault', fault, cure };
}
