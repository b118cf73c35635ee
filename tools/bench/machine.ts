import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PEERS = ['ws', 'socket.io', '@socket.io/redis-adapter', '@trpc/server', 'bullmq', 'ioredis', 'pg'];

/** When, on what and with which versions a report was made. */
export async function machine(): Promise<{ at: string; commit: string; machine: string; versions: string }> {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    at: new Date().toISOString(),
    commit: await commit(),
    machine: `${availableParallelism()} cores of ${model}, ${memory} GiB, ${type()} ${release().split('-')[0]}`,
    versions: [`Node ${process.versions.node}`, ...PEERS.map((name) => `${name} ${versionOf(name)}`)].join(', '),
  };
}

/** Short hash, with a `+` when what runs is not what was committed. */
async function commit(): Promise<string> {
  try {
    const { stdout } = await run('git', ['describe', '--always', '--dirty=+', '--exclude=*'], { cwd: ROOT });
    return stdout.trim();
  } catch {
    return 'unknown'; // An unpacked archive has no history.
  }
}

function versionOf(name: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(`${ROOT}load-tests/node_modules/${name}/package.json`, 'utf8'),
  );
  return version;
}
