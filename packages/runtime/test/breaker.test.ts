import { expect, test } from 'vitest';
import { BreakerOpenError, type BreakerState, createBreaker } from '../src/index.ts';

function setUp(isFailure?: (error: unknown) => boolean) {
  let now = 0;
  const states: BreakerState[] = [];
  const breaker = createBreaker({
    name: 'store',
    clock: { now: () => now, sleep: async () => undefined },
    failures: 3,
    probeMs: 1_000,
    random: () => 0.5,
    onChange: (state) => states.push(state),
    ...(isFailure ? { isFailure } : {}),
  });
  const fail = () => breaker.run(() => Promise.reject(new Error('down'))).catch((error: unknown) => error);
  return { breaker, states, fail, pass: (ms: number) => (now += ms) };
}

test('[DEG-1] after some failures in a row calls are refused without being made', async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 3; i++) expect(await fail()).not.toBeInstanceOf(BreakerOpenError);
  let called = false;
  const refused = await breaker
    .run(async () => {
      called = true;
    })
    .catch((error: unknown) => error);
  expect(refused instanceof BreakerOpenError && refused.retryAfterMs).toBe(1_000);
  expect(called).toBe(false);
});

test('a success in between starts the count anew', async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 4; i++) {
    await fail();
    await fail();
    await breaker.run(async () => 1);
  }
  expect(breaker.state).toBe('closed');
});

test('[DEG-100] a dependency that fails more than half of at least 20 calls in 5 s is not asked either', async () => {
  const { breaker, fail, pass } = setUp();
  const round = async () => {
    for (const call of [fail, fail, () => breaker.run(async () => 1)]) await call().catch(() => undefined);
  };
  for (let i = 0; i < 6; i++) await round();
  // 18 calls are no sample, and those of some seconds ago are none of the next.
  pass(5_000);
  for (let i = 0; i < 6; i++) await round();
  expect(breaker.state).toBe('closed');
  await round();
  expect(breaker.state).toBe('open');
});

test('half of the calls are not more than half', async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 40; i++) {
    await breaker.run(async () => 1);
    await fail();
  }
  expect(breaker.state).toBe('closed');
});

test('[DEG-1] one probe at a time; its success closes, its failure opens again', async () => {
  const { breaker, states, fail, pass } = setUp();
  for (let i = 0; i < 3; i++) await fail();
  pass(1_001);
  expect(await fail()).not.toBeInstanceOf(BreakerOpenError);
  expect(await fail()).toBeInstanceOf(BreakerOpenError);
  pass(1_001);
  const gate = Promise.withResolvers<string>();
  const probe = breaker.run(() => gate.promise);
  expect(await fail()).toBeInstanceOf(BreakerOpenError);
  gate.resolve('up');
  expect(await probe).toBe('up');
  expect(await breaker.run(async () => 'again')).toBe('again');
  expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('an error that does not speak against the dependency opens nothing, and closes a half-open breaker', async () => {
  const { breaker, fail } = setUp(() => false);
  for (let i = 0; i < 10; i++) await fail();
  expect(breaker.state).toBe('closed');
});

test('a late failure of a call from before does not delay the probe', async () => {
  const { breaker, fail, pass } = setUp();
  const gate = Promise.withResolvers<void>();
  const slow = breaker.run(() => gate.promise).catch(() => 'late');
  for (let i = 0; i < 3; i++) await fail();
  pass(900);
  gate.reject(new Error('late'));
  expect(await slow).toBe('late');
  pass(101);
  expect(await breaker.run(async () => 'up')).toBe('up');
});
