import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OfflineRelay } from '../src/offline/offline-relay.ts';
import { silent } from './rig.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function relayed(fails: () => boolean = () => false) {
  const jobs: string[][] = [];
  const producer = {
    add: async () => undefined,
    addMany: async (some: readonly { payload: { channelIds: string[] } }[]) => {
      if (fails()) throw new Error('away');
      jobs.push(...some.map(({ payload }) => payload.channelIds));
    },
    close: async () => undefined,
  };
  return { jobs, relay: new OfflineRelay({ producer, log: silent }) };
}

describe('[OFF-15] what the drain commits is relayed', () => {
  it('once a second at most, each channel once', async () => {
    const { jobs, relay } = relayed();
    for (let ms = 0; ms < 5_000; ms++) {
      relay.committed([`channel ${ms % 20}`]);
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(jobs.length).toBeGreaterThanOrEqual(5);
    expect(jobs.length).toBeLessThanOrEqual(7);
    expect(jobs.every((channelIds) => new Set(channelIds).size === channelIds.length)).toBe(true);
    expect(new Set(jobs.flat()).size).toBe(20);
  });

  it('in jobs of a bounded size, and what is left at the end at once', async () => {
    const { jobs, relay } = relayed();
    relay.committed(['first']);
    relay.committed(Array.from({ length: 1_200 }, (_, i) => `channel ${i}`));
    await relay.stop();
    expect(jobs.map(({ length }) => length)).toEqual([1, 500, 500, 200]);
  });

  it('or left to the sweep, when the queue is away: the drain never notices', async () => {
    let away = true;
    const { jobs, relay } = relayed(() => away);
    expect(() => relay.committed(['a'])).not.toThrow();
    await vi.advanceTimersByTimeAsync(1_500);
    away = false;
    relay.committed(['b']);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(jobs).toEqual([['b']]);
  });
});
