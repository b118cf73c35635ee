import { vi } from 'vitest';

/** The clock is in the test's hand until the answer is disposed of. Turns of the event loop go on by themselves. */
export function holdClock(): Disposable {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  return { [Symbol.dispose]: () => vi.useRealTimers() };
}
