import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, isFree } from '../src/servers/free-port.ts';
import { query } from '../src/servers/one-query.ts';
import { startPostgres } from '../src/servers/postgres-server.ts';
import { startRedis } from '../src/servers/redis-server.ts';
import { needs } from '../src/vitest.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-servers-'));
  // Postgres' own user must get through.
  await chmod(home, 0o755);
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

/** One command of Redis' inline protocol. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      resolve(answer.toString().trim());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** A process that starts a server by `startRedis` or `startPostgres` and prints its pid and port. */
async function startElsewhere(
  server: 'redis' | 'postgres',
  dir: string,
): Promise<{ owner: ChildProcess; pid: number }> {
  const entry = fileURLToPath(new URL('start-server.ts', import.meta.url));
  const owner = spawn(process.execPath, [entry, server, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(owner.stdout, 'data');
  return { owner, pid: Number(String(line)) };
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 15_000 }).toBe(false);
}

describe('Redis', () => {
  test('[RUN-40] what it answered for is there after SIGKILL and a restart on the same port', async () => {
    await using redis = await startRedis();
    expect(await ask(redis.port, 'SET word kept')).toBe('+OK');
    const [port, pid] = [redis.port, redis.pid];
    await redis.kill();
    expect(redis.running).toBe(false);
    await expect(ask(port, 'PING')).rejects.toThrow();
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(redis.pid).not.toBe(pid);
    expect(await ask(port, 'GET word')).toContain('kept');
  });

  test('control: without the append-only file the same restart has forgotten it', async () => {
    await using redis = await startRedis({ appendonly: 'no' });
    await ask(redis.port, 'SET word kept');
    await redis.kill();
    await redis.restart();
    expect(await ask(redis.port, 'GET word')).toBe('$-1');
  });

  test('the two kinds of store have their own policy', async () => {
    await using log = await startRedis();
    await using cache = await startRedis({ policy: 'allkeys-lru' });
    expect(await ask(log.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
    expect(await ask(log.port, 'CONFIG GET appendfsync')).toContain('always');
    expect(await ask(cache.port, 'CONFIG GET maxmemory-policy')).toContain('allkeys-lru');
    expect(await ask(cache.port, 'CONFIG GET appendonly')).toMatch(/\bno$/);
  });

  test('a folder of its own goes with it, a given one stays', async () => {
    const dir = join(home, 'kept-redis');
    const own = await (async () => {
      await using redis = await startRedis();
      await using given = await startRedis({ dir });
      await ask(given.port, 'SET word kept');
      return redis.dir;
    })();
    expect([existsSync(own), existsSync(dir)]).toEqual([false, true]);
    await using again = await startRedis({ dir });
    expect(await ask(again.port, 'GET word')).toContain('kept');
  });

  test('a port that another Redis has is an error that says so', async () => {
    await using redis = await startRedis();
    await expect(startRedis({ port: redis.port })).rejects.toThrow(`Port ${redis.port} is taken`);
  });
});

describe('Postgres', () => {
  test('[RUN-40] what it committed is there after SIGKILL of all of it, and a restart on the same port', async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase();
    await query(url, 'CREATE TABLE words AS SELECT 1 AS word');
    const held = query(url, 'SELECT pg_sleep(60)').catch((error: unknown) => error);
    const port = postgres.port;
    await postgres.kill();
    expect(await held).toBeInstanceOf(Error);
    await postgres.restart();
    expect(postgres.port).toBe(port);
    expect(await query(url, 'SELECT * FROM words')).toEqual([{ word: 1 }]);
  });

  test('a database can be a copy of another, letters beyond ASCII have trigrams, statements are counted', async () => {
    await using postgres = await startPostgres();
    const first = await postgres.createDatabase('first');
    await query(first, 'CREATE EXTENSION pg_trgm; CREATE EXTENSION pg_stat_statements');
    const second = await postgres.createDatabase('second', 'first');
    expect(await query(second, "SELECT cardinality(show_trgm('Привет')) AS n")).toEqual([{ n: 7 }]);
    expect(await query(second, 'SELECT count(*) > 0 AS some FROM pg_stat_statements')).toEqual([{ some: true }]);
    expect(await query(second, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });

  test('a pid file that names a stranger is not believed, and the stranger lives', async () => {
    const dir = join(home, 'stale-postgres');
    const first = await startPostgres({ dir });
    await first.kill();
    const pidFile = join(dir, 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    const stranger = spawn('sleep', ['60']);
    await writeFile(pidFile, [stranger.pid, ...lines.slice(1)].join('\n'));
    await using again = await startPostgres({ dir });
    expect(again.running).toBe(true);
    expect(stranger.exitCode).toBe(null);
    stranger.kill();
  });

  test('two at once stay apart', async () => {
    const [one, two] = await Promise.all([startPostgres(), startPostgres()]);
    await using _one = one;
    await using _two = two;
    expect(one.port).not.toBe(two.port);
    expect(one.dir).not.toBe(two.dir);
  });
});

needs('setpriv').describe('a server and the process that started it', () => {
  for (const server of ['redis', 'postgres'] as const) {
    test(`[RUN-41] ${server} does not outlive an owner that is killed`, async () => {
      const { owner, pid } = await startElsewhere(server, join(home, `owned-${server}`));
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      owner.kill('SIGKILL');
      await gone(pid);
    });
  }

  test('[RUN-41] a server left behind is ended by the next start on its data', async () => {
    const dir = join(home, 'left-postgres');
    const first = await startPostgres({ dir });
    const again = await startPostgres({ dir });
    expect(await first.ended).toBe('exit code 0');
    expect(again.running).toBe(true);
    await again.stop();
    await first.stop();
  });
});

test('free ports lie below the range of outgoing connections, and can be listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  expect(Math.max(...ports)).toBeLessThan(32_000);
  expect(await isFree(ports[0] ?? 0)).toBe(true);
});
