import { readdirSync, readFileSync } from 'node:fs';

/** Processor seconds by what used them, at one moment. */
export interface Usage {
  readonly at: number;
  readonly seconds: Readonly<Record<string, number>>;
}

/** Linux counts in hundredths of a second, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

/** Processor seconds of a process from the text of its /proc stat: its own, and those of children that it has waited for. */
export function secondsOf(stat: string): number {
  // The second field is a name in brackets, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((all, at) => all + Number(fields[at] ?? 0), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Processor seconds of all programs of the machine since its start, from the text of /proc/stat. */
export function busySeconds(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (/^cpu +(.+)$/m.exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

/** What each of some processes, with all below it, has used so far. Null where there is no /proc. */
export function usageOf(roots: Readonly<Record<string, readonly number[]>>): Usage | null {
  const parents = parentsOf();
  if (parents === null) return null;
  const ours = Object.entries(roots).map(([name, pids]) => {
    const below = pids.flatMap((pid) => [pid, ...descendants(pid, parents)]);
    return [name, below.reduce((all, pid) => all + secondsOf(statOf(pid)), 0)] as const;
  });
  const sum = ours.reduce((all, [, used]) => all + used, 0);
  const others = ['other programs', busySeconds(fileOf('/proc/stat')) - sum] as const;
  return { at: Date.now(), seconds: Object.fromEntries([...ours, others]) };
}

/** Cores that were in use between two moments, by name. */
export function coresBetween(before: Usage, after: Usage): Record<string, number> {
  const passed = Math.max(0.001, (after.at - before.at) / 1_000);
  const used = ([name, seconds]: [string, number]) => [
    name,
    Math.max(0, seconds - (before.seconds[name] ?? 0)) / passed,
  ];
  return Object.fromEntries(Object.entries(after.seconds).map(used));
}

function descendants(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const children = [...parents].filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendants(child, parents)]);
}

function parentsOf(): ReadonlyMap<number, number> | null {
  try {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    return new Map(pids.map((pid) => [pid, Number(statOf(pid).split(') ').at(-1)?.split(' ')[1] ?? 0)]));
  } catch {
    return null; // macOS and Windows: the page leaves the plot out.
  }
}

const statOf = (pid: number): string => fileOf(`/proc/${pid}/stat`);

function fileOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process has ended meanwhile.
  }
}
