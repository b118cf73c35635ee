import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

interface Owner {
  readonly pid: number;
  readonly port: number;
  /** Tells the process from a later one with the same pid. */
  readonly born: string;
}

/** The folder of one running stack, held until it is released or the process ends. */
export interface StackDir {
  readonly path: string;
  release(): void;
}

interface Claim {
  /** `.data` of the clone. */
  readonly home: string;
  readonly port: number;
  readonly say: (line: string) => void;
}

/**
 * The first stack of a clone works in `.data`; one on another port, while that runs, in `.data/port-<PORT>`, as it does ever after:
 * two stacks never share a server, and each finds its own data again. Throws when this port's stack is running already.
 */
export function claimStackDir({ home, port, say }: Claim): StackDir {
  const ofPort = join(home, `port-${port}`);
  if (!existsSync(ofPort)) {
    const holder = hold(home, port);
    if (holder === undefined) return claimed(home);
    if (holder.port === port) throw new Error(alreadyRuns(holder));
    say(`.data is in use by the stack on port ${holder.port}: this one keeps its data in .data/port-${port}`);
  }
  const isNew = !existsSync(ofPort);
  const holder = hold(ofPort, port);
  if (holder) throw new Error(alreadyRuns(holder));
  return claimed(ofPort, isNew);
}

const alreadyRuns = ({ pid, port }: Owner) => `Parley runs already from this folder on port ${port} (process ${pid}).`;
const lockOf = (dir: string) => join(dir, 'stack.lock');

/** A new folder that nothing was put into (the port was taken, say) goes again, or its port would be bound to it. */
function claimed(path: string, isNew = false): StackDir {
  return {
    path,
    release: () => {
      if (ownerOf(lockOf(path))?.pid === process.pid) rmSync(lockOf(path), { force: true });
      if (isNew && readdirSync(path).length === 0) rmdirSync(path);
    },
  };
}

/** Takes the lock, or returns who lives and has it. */
function hold(dir: string, port: number): Owner | undefined {
  mkdirSync(dir, { recursive: true });
  const mine = join(dir, `stack.lock.${process.pid}`);
  const owner: Owner = { pid: process.pid, port, born: bornAt(process.pid) };
  writeFileSync(mine, JSON.stringify(owner));
  try {
    while (!linked(mine, lockOf(dir))) {
      const holder = ownerOf(lockOf(dir));
      if (holder && holder.born !== '' && holder.born === bornAt(holder.pid)) return holder;
      removeStale(dir, holder);
    }
    return undefined;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Two starts may find the same dead owner; the slower must not remove the lock that the faster has just taken. */
function removeStale(dir: string, stale: Owner | undefined): void {
  const aside = join(dir, `stack.lock.stale.${process.pid}`);
  try {
    renameSync(lockOf(dir), aside);
  } catch {
    return; // The other start removed it.
  }
  const taken = ownerOf(aside);
  if (taken && (taken.pid !== stale?.pid || taken.born !== stale.born)) linked(aside, lockOf(dir));
  rmSync(aside, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    const { pid, port, born }: Owner = JSON.parse(readFileSync(path, 'utf8'));
    return { pid, port, born };
  } catch {
    return undefined; // Gone meanwhile, or not written by us: nobody's.
  }
}

/** When the process began, or '' when there is none. Without /proc only that it lives is known. */
export function bornAt(pid: number): string {
  if (existsSync('/proc/self/stat')) {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ')[19] ?? '';
    } catch {
      return ''; // No such process.
    }
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? 'alive' : '';
  }
}
