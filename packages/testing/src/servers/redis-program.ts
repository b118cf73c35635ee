import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './server-process.ts';

const run = promisify(execFile);

/** A Redis server program, with the environment that it needs. */
export interface RedisProgram {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `redis-server` or `valkey-server` of `PATH`; else, on Debian, the distribution's own package unpacked into `cacheDir`. */
export async function findRedis(cacheDir: string, say: (line: string) => void): Promise<RedisProgram> {
  const installed = onPath('redis-server') ?? onPath('valkey-server');
  if (installed) return { command: installed, env: process.env };
  const unpacked = join(cacheDir, 'redis');
  if (!existsSync(join(unpacked, 'usr/bin/redis-server'))) {
    if (!onPath('apt-get') || !onPath('dpkg')) throw new Error(INSTALL_IT);
    say('no redis-server on PATH: fetching the package of the distribution …');
    await unpackInto(unpacked).catch((error: unknown) => {
      throw new Error(`${INSTALL_IT}\n(The package could not be fetched: ${String(error)})`);
    });
  }
  const libraries = globSync(join(unpacked, 'usr/lib/*-linux-gnu*')).join(':');
  return { command: join(unpacked, 'usr/bin/redis-server'), env: { ...process.env, LD_LIBRARY_PATH: libraries } };
}

const INSTALL_IT = `Redis is needed and neither redis-server nor valkey-server is on PATH. Install it:
  Debian, Ubuntu   apt-get install redis-server
  macOS            brew install redis
  Windows          run inside WSL 2, or set REDIS_LOG_URL and REDIS_CACHE_URL to two servers of yours`;

/** Builds the folder beside its place and renames it there: of two processes that do it at once, the second keeps the first's. */
async function unpackInto(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), '.redis-'));
  try {
    await download(work);
    await mkdir(join(work, 'root'));
    for (const deb of globSync(join(work, '*.deb'))) await run('dpkg', ['-x', deb, join(work, 'root')]);
    await rename(join(work, 'root'), target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(work: string): Promise<void> {
  try {
    await downloadWith([], work);
  } catch {
    // The lists are missing or name versions that are gone. Fresh ones in a place of our own need no root and no lock.
    const lists = ['-o', `Dir::State::lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`];
    await mkdir(join(work, 'lists/partial'), { recursive: true });
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
    await run('apt-get', [...UNSANDBOXED, ...lists, 'update'], { cwd: work });
    await downloadWith(lists, work);
  }
}

// As root, apt would fetch as a user of its own, who cannot write here.
const UNSANDBOXED = ['-q', '-o', 'APT::Sandbox::User=root'];

/** The server lies in redis-tools (redis-server is a link to it); its libraries are what redis-tools depends on. */
async function downloadWith(lists: readonly string[], work: string): Promise<void> {
  const { stdout } = await run('apt-cache', [...lists, 'depends', '--important', 'redis-tools']);
  const libraries = [...stdout.matchAll(/^ [ |]Depends: ((?:lib|lua)[a-z0-9.+-]+)$/gm)].map((match) => match[1] ?? '');
  const wanted = libraries.filter((name) => name !== 'libc6' && name !== 'libelogind0');
  await run('apt-get', [...UNSANDBOXED, ...lists, 'download', 'redis-server', 'redis-tools', ...wanted], { cwd: work });
}
