import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { migrate } from '@parley/store';
import { freePort, type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectAs } from './stack.ts';

// The process as operators meet it: its settings, its ports, its signals.

let log: RedisServer;
let cache: RedisServer;
let db: TestDatabase;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [log, cache, db] = await Promise.all([
    startRedis({ appendonly: 'everysec', policy: 'noeviction' }),
    startRedis({ appendonly: 'no', policy: 'allkeys-lru' }),
    testDatabase({ template: { name: 'store', build: migrate } }),
  ]);
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
});

afterAll(async () => {
  await Promise.all([log, cache, db].map((resource) => resource?.[Symbol.asyncDispose]()));
});

interface Api {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function spawnApi(env: Record<string, string>): Api {
  const child = spawn(process.execPath, ['--conditions=@parley/source', 'apps/api/src/main.ts'], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'test', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output: () => output, exit };
}

const stores = () => ({
  DATABASE_URL: db.url,
  REDIS_LOG_URL: log.url,
  REDIS_CACHE_URL: cache.url,
  LOG_FSYNC: 'everysec',
  AUTH_SECRET: 'a secret of more than thirty-two bytes',
  DEV_TOKENS: 'true',
  DRAIN_WINDOW_MS: '0',
});

async function ready(api: Api): Promise<string> {
  let ended: number | null | undefined;
  void api.exit.then((code) => {
    ended = code;
  });
  for (let waited = 0; waited < 20_000; waited += 20) {
    const found = /^listening on (\S+)$/m.exec(api.output());
    if (found?.[1]) return found[1];
    if (ended !== undefined) throw new Error(`ended with ${ended}:\n${api.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not ready:\n${api.output()}`);
}

const json = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
};

describe('start', () => {
  it('[RUN-21] names every bad setting and ends with 1', async () => {
    const api = spawnApi({ PORT: '99999', THREADS: 'many', AUTH_SECRET: 'short' });
    expect(await api.exit).toBe(1);
    for (const name of ['PORT', 'THREADS', 'AUTH_SECRET', 'DATABASE_URL', 'REDIS_LOG_URL', 'REDIS_CACHE_URL']) {
      expect(api.output()).toContain(`${name}:`);
    }
    expect(api.output()).not.toContain('short,');
  });

  it('[RUN-22] says that its port is taken, instead of sharing it unseen', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const api = spawnApi({ ...stores(), PORT: String(port) });
    expect(await api.exit).toBe(1);
    expect(api.output()).toMatch(/taken/);
    other.close();
  });

  it('[RUN-23] takes a free ops port when the default one is taken, and says so', async () => {
    const port = await freePort();
    const other = createServer().listen(port + 1, '127.0.0.1');
    await once(other, 'listening');
    const api = spawnApi({ ...stores(), PORT: String(port), THREADS: '1' });
    await ready(api);
    const ops = /the ops port is (\d+)/.exec(api.output())?.[1];
    expect((await json(`http://127.0.0.1:${ops}/livez`)).status).toBe(200);
    other.close();
  });
});

describe('life', () => {
  it('[RUN-24] several threads on one port; SIGTERM ends it with 0', async () => {
    const [port, opsPort] = [await freePort(), await freePort()];
    const api = spawnApi({ ...stores(), PORT: String(port), OPS_PORT: String(opsPort), THREADS: '2' });
    const url = await ready(api);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await json(`${url}/healthz`)).toEqual({ status: 200, body: { ok: true } });
    const readyz = await json(`http://127.0.0.1:${opsPort}/readyz`);
    expect(readyz).toMatchObject({
      status: 200,
      body: {
        ok: true,
        dependencies: {
          log: { ok: true },
          cache: { ok: true },
          postgres: { ok: true },
          threads: { detail: '2 serve' },
        },
      },
    });
    const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
    expect(metrics).toMatch(/^parley_threads_ready 2$/m);
    expect(metrics).toMatch(/^parley_socket_connections 0$/m);
    // Nothing of the operators' is on the public port.
    for (const path of ['/metrics', '/readyz', '/livez']) expect((await fetch(url + path)).status).toBe(404);
    // Nor is what TEST_CONTROLS would add.
    expect((await fetch(`http://127.0.0.1:${opsPort}/test/end-thread`, { method: 'POST' })).status).toBe(405);
    api.child.kill('SIGTERM');
    expect(await api.exit).toBe(0);
  });

  it('[MET-10] [MET-11] its metrics are there as JSON too, unless that is switched off', async () => {
    const [port, opsPort] = [await freePort(), await freePort()];
    const env = { ...stores(), PORT: String(port), OPS_PORT: String(opsPort), THREADS: '2', DEV_TOKENS: 'true' };
    const api = spawnApi(env);
    const url = await ready(api);
    const { body: grace } = await json(`${url}/dev/token`, { method: 'POST', body: '{"name":"grace"}' });
    await using user = connectAs({ url, name: 'grace', token: grace.token, protocol: undefined });
    const { id: channelId } = await user.trpc.channel.create.mutate({ kind: 'group', name: 'one', memberIds: [] });
    for (let i = 0; i < 3; i++)
      await user.trpc.message.send.mutate({ channelId, clientMsgId: randomUUID(), body: 'hello' });
    const at = (path: string) => json(`http://127.0.0.1:${opsPort}${path}`);
    expect(await at('/metrics/performance')).toMatchObject({
      status: 200,
      body: {
        threads: { ready: 2, deaths: 0, eventLoopUtilization: { main: expect.any(Number), 0: expect.any(Number) } },
        calls: { count: 4, refused: 0, errorRate: 0, p95Ms: expect.any(Number) },
        messages: { accept: { count: 3, p50Ms: expect.any(Number) } },
      },
    });
    expect(await at('/metrics/database')).toMatchObject({
      status: 200,
      body: { degraded: false, pools: [{ pool: 'api', max: 20 }], statements: { count: expect.any(Number) } },
    });
    expect(await at('/metrics/websocket')).toMatchObject({ status: 200, body: { sockets: 1, streams: 0 } });
    expect(await at('/metrics/cache')).toMatchObject({
      status: 200,
      body: { stores: { log: { degraded: false, failed: 0 }, cache: { commands: { count: expect.any(Number) } } } },
    });
    for (const part of ['database', 'cache']) expect(await at(`/health/${part}`)).toMatchObject({ status: 200 });
    // A machine that runs all tests at once may well be busy.
    expect([200, 503]).toContain((await at('/health/performance')).status);
    for (const path of ['/metrics/cache', '/health/cache']) expect((await fetch(url + path)).status).toBe(404);
    api.child.kill('SIGKILL');
    await api.exit;
    const silent = spawnApi({ ...env, ENABLE_PERFORMANCE_MONITORING: 'false' });
    await ready(silent);
    for (const path of ['/metrics/cache', '/health/cache']) expect((await at(path)).status).toBe(404);
    expect((await at('/readyz')).status).toBe(200);
  });

  it('[ADMIN-16] the admin API is there with a token only, on a port of its own, and ends sessions on every thread', async () => {
    const [port, opsPort, adminPort] = [await freePort(), await freePort(), await freePort()];
    const env = {
      ...stores(),
      PORT: String(port),
      OPS_PORT: String(opsPort),
      THREADS: '2',
      ADMIN_PORT: String(adminPort),
    };
    const without = spawnApi(env);
    await ready(without);
    await expect(fetch(`http://127.0.0.1:${adminPort}/v1/users`)).rejects.toThrow();
    without.child.kill('SIGTERM');
    await without.exit;
    const token = randomBytes(32).toString('hex');
    const api = spawnApi({ ...env, ADMIN_TOKEN: token });
    const url = await ready(api);
    expect(api.output()).toContain(`the admin API is on http://127.0.0.1:${adminPort}`);
    expect(api.output()).not.toContain(token);
    const { body: ada } = await json(`${url}/dev/token`, { method: 'POST', body: '{"name":"ada"}' });
    const crowd = Array.from({ length: 8 }, () =>
      connectAs({ url, name: 'ada', token: ada.token, protocol: undefined }),
    );
    await Promise.all(crowd.map(({ trpc }) => trpc.user.me.query()));
    const metrics = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
    expect(await metrics()).toMatch(/^parley_socket_connections 8$/m);
    const headers = { authorization: `Bearer ${token}` };
    const revoked = await json(`http://127.0.0.1:${adminPort}/v1/users/${ada.userId}/revoke`, {
      method: 'POST',
      headers,
    });
    expect(revoked).toMatchObject({ status: 200, body: { told: true } });
    for (let tries = 0; tries < 200 && !crowd.every(({ closed }) => closed.includes(4503)); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const { closed } of crowd) expect(closed).toContain(4503);
    // Nothing of the administrators' is on the other ports.
    for (const other of [port, opsPort]) {
      expect((await fetch(`http://127.0.0.1:${other}/v1/users`, { headers })).status).not.toBe(200);
    }
    await Promise.all(crowd.map((chatter) => chatter[Symbol.asyncDispose]()));
    api.child.kill('SIGTERM');
    expect(await api.exit).toBe(0);
  }, 40_000);

  it('[RUN-26] a thread that dies takes nobody else with it and is replaced; its end can be asked for in tests only', async () => {
    const [port, opsPort] = [await freePort(), await freePort()];
    const env = { ...stores(), PORT: String(port), OPS_PORT: String(opsPort), THREADS: '2', LOG_LEVEL: 'silent' };
    const api = spawnApi({ ...env, TEST_CONTROLS: 'true' });
    const url = await ready(api);
    const ops = `http://127.0.0.1:${opsPort}`;
    expect(await json(`${ops}/test/end-thread`, { method: 'POST' })).toEqual({ status: 200, body: { ended: true } });
    expect((await json(`${url}/healthz`)).status).toBe(200);
    const serving = async () => (await json(`${ops}/readyz`)).body.dependencies.threads.detail;
    for (let tries = 0; tries < 200 && (await serving()) !== '2 serve'; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await serving()).toBe('2 serve');
    expect((await fetch(`${url}/test/end-thread`, { method: 'POST' })).status).toBe(404);
  }, 40_000);

  it('[RUN-25] ends when its parent is gone', async () => {
    const api = spawnApi({ ...stores(), PORT: String(await freePort()), THREADS: '1' });
    await ready(api);
    api.child.disconnect();
    expect(await api.exit).toBe(0);
  });

  it('[DEG-23] starts while a store is down, says which, and serves when it is back', async () => {
    const [port, opsPort, deadPort] = [await freePort(), await freePort(), await freePort()];
    const env = { ...stores(), REDIS_LOG_URL: `redis://127.0.0.1:${deadPort}`, LOG_LEVEL: 'silent' };
    const api = spawnApi({ ...env, PORT: String(port), OPS_PORT: String(opsPort), THREADS: '1' });
    const url = await ready(api);
    const readyz = () => json(`http://127.0.0.1:${opsPort}/readyz`);
    expect((await readyz()).body).toMatchObject({
      ok: true,
      dependencies: { log: { ok: false }, postgres: { ok: true } },
    });
    const { body: ada } = await json(`${url}/dev/token`, { method: 'POST', body: '{"name":"ada"}' });
    const list = await json(`${url}/trpc/channel.list`, { headers: { authorization: `Bearer ${ada.token}` } });
    expect(list).toMatchObject({ status: 200, body: { result: { data: { items: [], nextCursor: null } } } });
    await using late = await startRedis({ port: deadPort, appendonly: 'everysec', policy: 'noeviction' });
    expect(late.port).toBe(deadPort);
    for (let tries = 0; tries < 200 && !(await readyz()).body.dependencies.log.ok; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await readyz()).body).toMatchObject({ ok: true, dependencies: { log: { ok: true } } });
  }, 40_000);
});
