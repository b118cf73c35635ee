import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 5_000;

interface LeftBehind {
  /** Its data: a server works in this folder, which tells it from a stranger who has its pid by now. */
  readonly dir: string;
  readonly pidFile: string;
  readonly signal: NodeJS.Signals;
}

/** Ends a server that an earlier life of this program left running on the same data, and removes its pid file. */
export async function endLeftBehind({ dir, pidFile, signal }: LeftBehind): Promise<void> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(absent), 10);
  const home = await realpath(dir);
  const lives = async () => (await readlink(`/proc/${pid}/cwd`).catch(absent)) === home;
  if (Number.isSafeInteger(pid) && pid > 1 && (await lives())) {
    process.kill(pid, signal);
    for (let waited = 0; (await lives()) && waited < GRACE_MS; waited += 50) await sleep(50);
    if (await lives()) process.kill(pid, 'SIGKILL');
    for (let waited = 0; (await lives()) && waited < GRACE_MS; waited += 50) await sleep(50);
  }
  await rm(pidFile, { force: true });
}

/** No such file, no such process, or no /proc on this system: nothing is known, so nothing is ended. */
const absent = (): string => '';
