import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bornAt } from './stack-dir.ts';

const DRAIN_MS = 10_000;

interface Noted {
  readonly name: string;
  readonly pid: number;
  readonly born: string;
}

/** The processes of a stack, noted in its folder: what a killed stack has left running is ended by the next one. */
export class Leftovers {
  readonly #path: string;
  readonly #noted = new Map<string, Noted>();

  constructor(dir: string) {
    this.#path = join(dir, 'processes.json');
  }

  note(name: string, pid: number): void {
    this.#noted.set(name, { name, pid, born: bornAt(pid) });
    writeFileSync(this.#path, JSON.stringify([...this.#noted.values()]));
  }

  /** Ends those of an earlier stack that still live: orderly, then after ten seconds by force. */
  async end(say: (line: string) => void): Promise<void> {
    const left = this.#read().filter(lives);
    for (const { name, pid } of left) {
      say(`${name} of a stack that was killed still runs (process ${pid}): ending it`);
      process.kill(pid, 'SIGTERM');
    }
    for (let waited = 0; left.some(lives) && waited < DRAIN_MS; waited += 50) await sleep(50);
    for (const { pid } of left.filter(lives)) process.kill(pid, 'SIGKILL');
    for (let waited = 0; left.some(lives) && waited < DRAIN_MS; waited += 50) await sleep(50);
  }

  #read(): Noted[] {
    try {
      const noted: Noted[] = JSON.parse(readFileSync(this.#path, 'utf8'));
      return noted;
    } catch {
      return []; // The first start, or a note that was cut: the servers' own pid files remain.
    }
  }
}

function lives({ pid, born }: Noted): boolean {
  return born !== '' && bornAt(pid) === born && !isZombie(pid);
}

/** Dead, only nobody has asked for its exit code. */
function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.startsWith('Z') ?? false;
  } catch {
    return false; // No /proc here, or it is gone by now: the next look tells.
  }
}
