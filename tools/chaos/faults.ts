import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '@parley/testing';
import { askRedis } from '../../packages/testing/test/ask-redis.ts';
import type { FaultName } from './fault-list.ts';
import { freeze } from './freeze.ts';
import type { ChaosStack } from './stack.ts';

/** Cuts the sockets of all clients and says how many there were. */
export type CutClients = () => number;

/**
 * Does its harm and resolves when the cause is gone again, with the evidence that it was done: what was counted, seen by somebody else than
 * the one who did it. Null: there is none, so that the round proves nothing.
 */
type Fault = (stack: ChaosStack, cutClients: CutClients) => Promise<string | null>;

const DOWN_MS = 300;
const FROZEN_MS = 3_000;
/** How far a replica is behind when it is promoted. */
const LAG_MS = 250;
const IN_STEP_MS = 20_000;
/** The part of the log's newest file that a power cut takes. */
const TAIL = 0.2;

export const STRIKES: Record<FaultName, Fault> = {
  'api-thread': async ({ apis: [api] }) => {
    const answer = await fetch(`http://127.0.0.1:${api.opsPort}/test/end-thread`, { method: 'POST' });
    const { ended } = (await answer.json()) as { ended: boolean };
    return ended ? 'a thread was ended' : null;
  },
  'api-kill': async (stack) => {
    const [{ pid, url, kill }] = stack.apis;
    await kill();
    const isGone = await fetch(`${url}/healthz`).then(
      () => false,
      () => true,
    );
    return isGone ? another(pid, (await stack.replaceApi(0)).pid) : null;
  },
  'api-freeze': ({ apis: [, api] }) => frozen(api.pid),
  'worker-kill': async (stack) => {
    const [{ pid, kill }] = stack.workers;
    await kill();
    return another(pid, (await stack.replaceWorker(0)).pid);
  },
  'worker-freeze': ({ workers: [, worker] }) => frozen(worker.pid),
  'rolling-restart': async (stack) => {
    const codes: (number | null)[] = [];
    // Workers first: they read what both versions write.
    for (const i of [0, 1] as const) {
      codes.push(await stack.workers[i].stop());
      await stack.replaceWorker(i);
    }
    for (const i of [0, 1] as const) {
      codes.push(await stack.apis[i].stop());
      await stack.replaceApi(i);
    }
    return codes.every((code) => code === 0) ? 'four processes ended by themselves when asked' : null;
  },
  'log-kill': ({ log }) => killed(log),
  'log-freeze': ({ log }) => frozen(log.pid),
  'log-black-hole': async ({ otherFront }) => {
    const end = otherFront.swallow();
    await sleep(FROZEN_MS);
    const waiting = end();
    return waiting > 0 ? `${waiting} connections had something to say` : null;
  },
  'cache-kill': ({ cluster }) => killed(cluster.cache),
  'postgres-kill': ({ cluster }) => killed(cluster.postgres),
  'postgres-freeze': ({ cluster }) => frozen(cluster.postgres.pid),
  'clients-cut': async (_, cutClients) => {
    const cut = cutClients();
    return cut > 0 ? `${cut} sockets were cut` : null;
  },
  'log-fail-over': failOver,
  'log-tail-cut': async ({ log }) => {
    await log.kill();
    const bytes = await cutTail(join(log.dir, 'appendonlydir'));
    await log.restart();
    return bytes > 0 ? `${bytes} bytes of the log are gone` : null;
  },
};

function another(before: number, now: number): string | null {
  return before !== now && now > 0 ? `process ${before} is ${now} now` : null;
}

async function frozen(pid: number): Promise<string | null> {
  const stood = await freeze(pid, FROZEN_MS);
  return stood > 0 ? `${stood} processes stood still for ${FROZEN_MS} ms` : null;
}

async function killed(server: {
  pid: number;
  kill(): Promise<void>;
  restart(): Promise<void>;
}): Promise<string | null> {
  const before = server.pid;
  await server.kill();
  await sleep(DOWN_MS);
  await server.restart();
  return another(before, server.pid);
}

/** A replica that lags is promoted; the master's last acknowledged entries are nowhere any more. */
async function failOver(stack: ChaosStack): Promise<string | null> {
  const { server, way } = await stack.startReplica();
  await askRedis(stack.log, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
  await askRedis(server, 'REPLICAOF', '127.0.0.1', String(way.port));
  for (const deadline = Date.now() + IN_STEP_MS; !(await replication(server)).includes('master_link_status:up'); ) {
    if (Date.now() > deadline) throw new Error(`the replica has not caught up within ${IN_STEP_MS} ms`);
    await sleep(20);
  }
  way.swallow();
  await sleep(LAG_MS);
  const lag = offsetIn(await replication(stack.log), 'master') - offsetIn(await replication(server), 'slave');
  await askRedis(server, 'REPLICAOF', 'NO', 'ONE');
  await stack.promote(server);
  return lag > 0 ? `the new master has not heard the last ${lag} bytes` : null;
}

function replication(server: RedisServer): Promise<string> {
  return askRedis(server, 'INFO', 'replication');
}

function offsetIn(text: string, role: 'master' | 'slave'): number {
  return Number(new RegExp(`${role}_repl_offset:(\\d+)`).exec(text)?.[1] ?? Number.NaN);
}

async function cutTail(dir: string): Promise<number> {
  const name = (await readdir(dir))
    .filter((each) => each.endsWith('.incr.aof'))
    .sort()
    .at(-1);
  if (!name) return 0;
  const path = join(dir, name);
  const { size } = await stat(path);
  const bytes = Math.floor(size * TAIL);
  await truncate(path, size - bytes);
  return bytes;
}
