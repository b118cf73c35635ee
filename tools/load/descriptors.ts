import { readFileSync } from 'node:fs';

/** What a process needs beside its connections: modules, pipes, stores. */
const OTHERS = 200;

/** How many files a process may have open, from the text of /proc/self/limits; null when it does not say. */
export function openFilesMax(limits: string): number | null {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Why so many connections cannot be had, in words that say what to do; null when they can. */
export function descriptorProblem(connections: number, openFiles: number | null): string | null {
  const needed = connections + OTHERS;
  if (openFiles === null || openFiles >= needed) return null;
  return (
    `${connections} connections need ${needed} open files in one process, and ${openFiles} are allowed here. ` +
    `Raise the limit with \`ulimit -n ${needed}\` (as root, or up to \`ulimit -Hn\`), or ask for fewer: --connections ${Math.max(2, openFiles - OTHERS)}`
  );
}

/** Of this process and its children. Node has raised the soft limit to the hard one by itself. */
export function openFilesHere(): number | null {
  try {
    return openFilesMax(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return null; // No /proc on macOS: there the system itself says so when they run out.
  }
}
