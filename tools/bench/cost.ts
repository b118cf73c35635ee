import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicros } from './cpu.ts';
import type { RunResult } from './crowd/orders.ts';

/** What one round cost. */
export interface Round {
  /** User + system time of the measured processes, what they would have used idle taken off, in microseconds. */
  readonly micros: number;
  readonly result: RunResult;
}

const LOOKS = 4;

/**
 * What these processes use of a core while nothing happens, in microseconds a millisecond: the least of some looks, since what a round
 * leaves behind (a collection, code that is compiled) is not what they use all the time, and taking it off would make every round cheap.
 */
export async function idleRate(pids: readonly number[], forMs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look++) {
    const before = cpuMicros(pids);
    const began = performance.now();
    await sleep(forMs / LOOKS);
    least = Math.min(least, (cpuMicros(pids) - before) / (performance.now() - began));
  }
  return least;
}

/** Takes the time of the processes over a run. */
export async function costOf(pids: readonly number[], idle: number, run: () => Promise<RunResult>): Promise<Round> {
  const before = cpuMicros(pids);
  const began = performance.now();
  const result = await run();
  const used = cpuMicros(pids) - before;
  return { micros: Math.max(0, used - idle * (performance.now() - began)), result };
}
