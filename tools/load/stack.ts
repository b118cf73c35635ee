import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { startCluster } from '@parley/testing';
import type { Kept } from './promises.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EMPTIES_WITHIN_MS = 60_000;

/** Whom a run loads. */
export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly ops: string | null;
  /** What it was started with that is not a default; null for a stack that ran already. */
  readonly settings: Readonly<Record<string, string>> | null;
  /** Its processes, where they are known. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  /** Where its stores are; null when nobody says. */
  readonly stores: Readonly<Record<string, string>> | null;
}

/** Real servers and processes of this machine, with data of their own, gone after the run. Everything is as by default but these. */
export async function startTarget(): Promise<Target> {
  const settings = { THREADS: String(availableParallelism()), NODE_ENV: 'development', DRAIN_WINDOW_MS: '500' };
  const cluster = await startCluster({ apis: 1, workers: 1, env: settings, migrate });
  const [api] = cluster.apis;
  if (!api) throw new Error('the stack has no api');
  return {
    url: api.url,
    ops: `http://127.0.0.1:${api.opsPort}`,
    settings: { ...settings, DEV_TOKENS: 'true', LOG_LEVEL: 'warn' },
    pids: {
      api: [api.pid],
      worker: cluster.workers.map(({ pid }) => pid),
      redis: [cluster.log.pid, cluster.cache.pid],
      postgres: [cluster.postgres.pid],
    },
    stores: cluster.env,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** A stack that runs already. Its stores are those of the environment. */
export function givenTarget(url: string, ops: string | null): Target {
  const { DATABASE_URL, REDIS_LOG_URL, KEY_PREFIX } = process.env;
  const stores =
    DATABASE_URL && REDIS_LOG_URL ? { DATABASE_URL, REDIS_LOG_URL, ...(KEY_PREFIX && { KEY_PREFIX }) } : null;
  return { url, ops, settings: null, pids: {}, stores, [Symbol.asyncDispose]: async () => undefined };
}

/** Runs `npm run verify` until nothing waits for Postgres any more; its last line. Null when the stores are not known or not reached. */
export async function verifyTarget({ stores }: Target): Promise<Kept | null> {
  if (stores === null) return null;
  for (const deadline = Date.now() + EMPTIES_WITHIN_MS; ; ) {
    const kept = await verifyOnce(stores);
    if (kept === null || kept.waiting === 0 || Date.now() > deadline) return kept;
  }
}

async function verifyOnce(stores: Readonly<Record<string, string>>): Promise<Kept | null> {
  const child = spawn(process.execPath, ['--conditions=@parley/source', 'tools/verify.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...stores },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  const line = text.trim().split('\n').at(-1);
  return line ? keptOf(line) : null;
}

const keptOf = (line: string): Kept => JSON.parse(line) as Kept;
