import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp } from './dev/app-life.ts';
import { inShort } from './dev/child-log.ts';
import { Leftovers } from './dev/leftovers.ts';
import { checkPort } from './dev/port-check.ts';
import { claimStackDir } from './dev/stack-dir.ts';
import { filesOf, secretOf, writeStackEnv } from './dev/stack-env.ts';
import { Supervised } from './dev/supervised.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-dev-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const fresh = () => mkdtemp(join(home, 'stack-'));
const quiet = () => undefined;

async function program(text: string): Promise<string> {
  const path = join(await fresh(), 'app.ts');
  await writeFile(path, text);
  return path;
}

/** An app that says it is ready, and on SIGTERM or when its owner is gone takes a moment to end. */
const APP = `
  const end = () => setTimeout(() => process.exit(0), 50);
  process.on('SIGTERM', end).on('disconnect', end);
  console.log('working on it');
  setInterval(() => undefined, 1000);
`;

describe('what should always run', () => {
  it('[RUN-42] is started again when it ends unasked, and every death is told', async () => {
    const said: string[] = [];
    const pids: number[] = [];
    const entry = await program(APP);
    const app = { name: 'worker', entry, env: process.env, ready: 'working on', say: quiet };
    const kept = new Supervised({
      name: 'worker',
      say: (line) => said.push(line),
      start: () => startApp({ ...app, onPid: (pid) => pids.push(pid) }),
    });
    await kept.run();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await expect.poll(() => said.at(-1), { timeout: 10_000 }).toBe('worker runs again');
    expect(said[0]).toBe('worker ended (SIGKILL): starting it again');
    expect(pids).toHaveLength(2);
    await kept.stop();
    expect(said).toHaveLength(2);
    expect(existsSync(`/proc/${pids[1]}`)).toBe(false);
  });

  it('a start that fails is tried again, and stopping ends the tries', async () => {
    const said: string[] = [];
    const first = Promise.withResolvers<string>();
    let starts = 0;
    const kept = new Supervised({
      name: 'worker',
      say: (line) => said.push(line),
      start: async () => {
        if (++starts > 1) throw new Error('no database');
        return { ended: first.promise, end: async () => first.resolve('asked') };
      },
    });
    await kept.run();
    first.resolve('exit code 1');
    await expect.poll(() => starts, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(said).toContain('worker did not start: no database');
    await kept.stop();
    const then = starts;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(starts).toBe(then);
  });

  it('an app that ends before it is ready is an error, with what it said passed on', async () => {
    const said: string[] = [];
    const entry = await program(`console.error('no AUTH_SECRET'); process.exit(3);`);
    const app = { name: 'api', entry, env: process.env, ready: 'listening on', onPid: quiet };
    const started = startApp({ ...app, say: (line) => said.push(line) });
    await expect(started).rejects.toThrow('api ended (exit code 3) before it was ready');
    await expect.poll(() => said).toEqual(['no AUTH_SECRET']);
  });
});

it("a line of an app's log is shown in short", () => {
  const line = { level: 40, store: 'log', err: { message: 'connect ECONNREFUSED', stack: '…' }, msg: 'redis is away' };
  expect(inShort(JSON.stringify(line))).toBe('log: redis is away: connect ECONNREFUSED');
  expect(inShort('{"some":"thing"}')).toBe('{"some":"thing"}');
  expect(inShort('Error: plain text')).toBe('Error: plain text');
});

describe('the folder of a stack', () => {
  /** Claims the folder in a process of its own and holds it until it is killed. */
  async function claimElsewhere(dir: string, port: number): Promise<ChildProcess> {
    const module = fileURLToPath(new URL('dev/stack-dir.ts', import.meta.url));
    const text = `import { claimStackDir } from ${JSON.stringify(module)};
      console.log(claimStackDir({ home: ${JSON.stringify(dir)}, port: ${port}, say: () => undefined }).path);
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, [await program(text)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return child;
  }

  it('[RUN-43] is never shared by two stacks: the second has its own, and keeps it', async () => {
    const dir = await fresh();
    const said: string[] = [];
    const first = await claimElsewhere(dir, 3000);
    const say = (line: string) => said.push(line);
    const second = claimStackDir({ home: dir, port: 3100, say });
    expect(second.path).toBe(join(dir, 'port-3100'));
    expect(said.join()).toContain('in use by the stack on port 3000');
    expect(() => claimStackDir({ home: dir, port: 3000, say })).toThrow('runs already from this folder on port 3000');
    expect(() => claimStackDir({ home: dir, port: 3100, say })).toThrow('runs already from this folder on port 3100');
    await writeFile(join(second.path, 'data'), 'x');
    second.release();
    first.kill('SIGKILL');
    await once(first, 'exit');
    const again = claimStackDir({ home: dir, port: 3100, say });
    expect(again.path).toBe(second.path);
    again.release();
  });

  it('[RUN-44] is free again when its stack was killed', async () => {
    const dir = await fresh();
    const first = await claimElsewhere(dir, 3000);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = claimStackDir({ home: dir, port: 3000, say: quiet });
    expect(second.path).toBe(dir);
    second.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('a pid that belongs to another process by now holds nothing', async () => {
    const dir = await fresh();
    await writeFile(join(dir, 'stack.lock'), JSON.stringify({ pid: process.ppid, port: 3000, born: '1' }));
    const claimed = claimStackDir({ home: dir, port: 3000, say: quiet });
    expect(JSON.parse(readFileSync(join(dir, 'stack.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    claimed.release();
  });

  it('a new one that stays empty goes again', async () => {
    const dir = await fresh();
    const first = await claimElsewhere(dir, 3000);
    claimStackDir({ home: dir, port: 3200, say: quiet }).release();
    expect(existsSync(join(dir, 'port-3200'))).toBe(false);
    first.kill();
  });
});

describe('stack.env', () => {
  const urls = { DATABASE_URL: 'postgres://x', REDIS_LOG_URL: 'redis://x', REDIS_CACHE_URL: 'redis://y' };

  it('[RUN-45] keeps its secret from start to start, for the eyes of its user only', async () => {
    const dir = await fresh();
    const first = secretOf(dir, {});
    expect(first).toEqual({ AUTH_SECRET: expect.stringMatching(/^[0-9a-f]{64}$/), DEV_TOKENS: 'true' });
    writeStackEnv(dir, { ...urls, ...first, ...filesOf(dir, {}) });
    expect(statSync(join(dir, 'stack.env')).mode & 0o777).toBe(0o600);
    expect(secretOf(dir, {})).toEqual(first);
    expect(secretOf(await fresh(), {}).AUTH_SECRET).not.toBe(first.AUTH_SECRET);
  });

  it('takes the secret of the environment, and makes none beside a key server', async () => {
    const dir = await fresh();
    expect(secretOf(dir, { AUTH_SECRET: 's', DEV_TOKENS: 'false' })).toEqual({ AUTH_SECRET: 's', DEV_TOKENS: 'false' });
    expect(secretOf(dir, { AUTH_JWKS_URL: 'https://keys' })).toEqual({ DEV_TOKENS: 'false' });
  });

  it('[FILE-38] keeps attachments beside the other data, and a secret for links to them where there is no other', async () => {
    const dir = await fresh();
    const place = { ATTACHMENTS_DIR: join(dir, 'attachments') };
    expect(filesOf(dir, {})).toEqual(place);
    expect(filesOf(dir, { ATTACHMENTS_DIR: '/mnt/x', FILES_SECRET: 's' })).toEqual({
      ATTACHMENTS_DIR: '/mnt/x',
      FILES_SECRET: 's',
    });
    const first = filesOf(dir, { AUTH_JWKS_URL: 'https://keys' });
    expect(first).toEqual({ ...place, FILES_SECRET: expect.stringMatching(/^[0-9a-f]{64}$/) });
    writeStackEnv(dir, { ...urls, DEV_TOKENS: 'false', ...first });
    expect(filesOf(dir, { AUTH_JWKS_URL: 'https://keys' })).toEqual(first);
  });
});

describe('what a killed stack leaves', () => {
  it('[RUN-44] is ended by the next start; a stranger who has its pid by now is not', async () => {
    const dir = await fresh();
    const left = spawn(process.execPath, [await program(APP)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const stranger = spawn(process.execPath, [await program(APP)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.all([once(left.stdout, 'data'), once(stranger.stdout, 'data')]);
    const noted = new Leftovers(dir);
    noted.note('api', left.pid ?? 0);
    const path = join(dir, 'processes.json');
    const notes = JSON.parse(readFileSync(path, 'utf8'));
    await writeFile(path, JSON.stringify([...notes, { name: 'worker', pid: stranger.pid, born: '1' }]));
    const said: string[] = [];
    await new Leftovers(dir).end((line) => said.push(line));
    expect(said).toEqual([`api of a stack that was killed still runs (process ${left.pid}): ending it`]);
    await expect.poll(() => left.exitCode).toBe(0);
    expect(stranger.exitCode).toBe(null);
    stranger.kill('SIGKILL');
  });
});

describe('the port', () => {
  it('[RUN-46] that is taken stops the start before anything runs, in words that help', async () => {
    const port = await freePort();
    await checkPort(port);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    await expect(checkPort(port)).rejects.toThrow(`port ${port} is taken`);
    other.close();
  });
});
