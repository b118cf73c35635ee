import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createThrottle } from '../src/throttle.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function counted(takesMs = 0) {
  const runs: number[] = [];
  const start = Date.now();
  const throttle = createThrottle({
    everyMs: 50,
    async work() {
      runs.push(Date.now() - start);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    },
  });
  return { runs, throttle };
}

test('[PERSIST-91] the first ask is served at once, those of the pause by one run at its end', async () => {
  const { runs, throttle } = counted();
  for (let i = 0; i < 10; i++) throttle.ask();
  expect(runs).toEqual([0]);
  await vi.advanceTimersByTimeAsync(49);
  throttle.ask();
  expect(runs).toEqual([0]);
  await vi.advanceTimersByTimeAsync(500);
  expect(runs).toEqual([0, 50]);
});

test('[PERSIST-91] twenty runs a second at any load', async () => {
  const { runs, throttle } = counted();
  for (let ms = 0; ms < 2_000; ms++) {
    throttle.ask();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(runs.length).toBeGreaterThanOrEqual(38);
  expect(runs.length).toBeLessThanOrEqual(41);
});

test('a slow run is never doubled, and an ask during it is not forgotten', async () => {
  const { runs, throttle } = counted(300);
  throttle.ask();
  await vi.advanceTimersByTimeAsync(100);
  throttle.ask();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runs).toEqual([0, 300]);
});

test('a stopped throttle runs nothing more', async () => {
  const { runs, throttle } = counted();
  throttle.ask();
  throttle.ask();
  throttle.stop();
  await vi.advanceTimersByTimeAsync(500);
  expect(runs).toEqual([0]);
});
