import { readdirSync, readFileSync } from 'node:fs';

/**
 * User + system time of these processes so far, in microseconds: the kernel's own sum over their threads, exact to the nanosecond, where
 * the figures of /proc/<pid>/stat come in steps of 10 ms. A thread that has ended is no longer in it. Needs Linux.
 */
export function cpuMicros(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + threadsOf(pid).reduce((all, nanos) => all + nanos, 0), 0) / 1_000;
}

/** The process and all that descend from it (Postgres works in children). */
export function withChildren(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withChildren)];
}

/** Memory of the process that is in RAM, in KiB. */
export function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? Number.NaN);
}

function threadsOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.map((task) => Number(readText(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0] ?? 0));
}

/** A thread may end between the listing and the read: then there is nothing to add. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
