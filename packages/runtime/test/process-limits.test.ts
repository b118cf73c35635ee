import { availableParallelism, totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { cpuLimitCores, memoryLimitBytes } from '../src/process-limits.ts';

it('[ALERT-7] half a core is half a core, and more than the machine has is what it has', () => {
  expect(cpuLimitCores('50000 100000\n')).toBe(0.5);
  expect(cpuLimitCores('999900000 100000\n')).toBe(availableParallelism());
});

it('[ALERT-7] without a quota it is what the machine has', () => {
  for (const text of ['max 100000\n', '', '0 100000']) expect(cpuLimitCores(text)).toBe(availableParallelism());
  expect(cpuLimitCores()).toBeGreaterThan(0);
});

it('[ALERT-7] memory is limited by the control group, or by the machine', () => {
  expect(memoryLimitBytes(512, 1_024)).toBe(512);
  expect(memoryLimitBytes(0, 1_024)).toBe(1_024);
  expect(memoryLimitBytes(2 ** 63, 1_024)).toBe(1_024);
  expect(memoryLimitBytes()).toBeLessThanOrEqual(totalmem());
});
