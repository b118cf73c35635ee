import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** The cores that this process may use, in parts of one too: the quota of its control group, else what the machine has for it. */
export function cpuLimitCores(cpuMax = readCpuMax()): number {
  const [, quota, period] = /^(\d+) (\d+)/.exec(cpuMax) ?? [];
  const cores = Number(quota) / Number(period);
  return cores > 0 ? Math.min(cores, availableParallelism()) : availableParallelism();
}

/** The memory that this process may use: the limit of its control group, else what the machine has. Bytes. */
export function memoryLimitBytes(constrained = process.constrainedMemory(), machine = totalmem()): number {
  // Without a limit Node answers with nothing, or with a number larger than any machine.
  return constrained > 0 && constrained < machine ? constrained : machine;
}

/** `quota period` in microseconds, or `max period`; an empty text where there are no control groups of version 2. */
function readCpuMax(): string {
  try {
    return readFileSync('/sys/fs/cgroup/cpu.max', 'utf8');
  } catch {
    return '';
  }
}
