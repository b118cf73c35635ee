import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Stops a process and its children for a while, as a machine does that swaps or is moved; they do not know it afterwards. Says how many
 * stood still, by the kernel's own word. Needs `/proc`.
 */
export async function freeze(pid: number, ms: number): Promise<number> {
  const pids = [pid, ...(await childrenOf(pid))];
  try {
    for (const each of pids) process.kill(each, 'SIGSTOP');
    await sleep(ms);
    const states = await Promise.all(pids.map(stateOf));
    return states.filter((state) => state === 'T').length;
  } finally {
    for (const each of pids) wake(each);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.split(' ').filter(Boolean).map(Number);
}

async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended meanwhile: that will be found by whoever counts on it.
  }
}
