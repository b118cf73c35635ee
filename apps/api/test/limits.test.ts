import type { Limit, Limiter } from '@parley/domain';
import { createLog, createMetrics } from '@parley/runtime';
import { describe, expect, it } from 'vitest';
import type { Cases } from '../src/context.ts';
import { limitCases, measureLimiter } from '../src/limit-layers.ts';
import { LoadMeter } from '../src/load-meter.ts';

const log = createLog({ name: 'test', level: 'silent' });

/** Each sleep is a round that a test asks for. */
function meterOf(load: { loop: number; fullest: number }) {
  const metrics = createMetrics();
  const rounds: (() => void)[] = [];
  const clock = { now: () => 0, sleep: () => new Promise<void>((resolve) => rounds.push(resolve)) };
  const meter = new LoadMeter({ backlog: load, metrics, log, clock, loopShare: () => load.loop });
  meter.run();
  const seconds = async (count: number) => {
    for (let i = 0; i < count; i++) {
      rounds.shift()?.();
      await new Promise(setImmediate);
    }
  };
  return { meter, metrics, seconds };
}

describe('load meter', () => {
  it('[LIMIT-112] acts upon load that lasts, not upon one busy second, and gives all back', async () => {
    const load = { loop: 0, fullest: 0 };
    const { meter, seconds } = meterOf(load);
    await seconds(3);
    load.loop = 1;
    await seconds(1);
    expect(meter.factors.calls).toBe(1);
    await seconds(20);
    expect(meter.factors).toEqual({ sends: 1, calls: 0.25 });
    load.loop = 0;
    await seconds(20);
    expect(meter.factors.calls).toBe(1);
  });

  it('[LIMIT-112] shows what it acts upon', async () => {
    const { meter, metrics, seconds } = meterOf({ loop: 0, fullest: 0.9 });
    await seconds(1);
    expect(meter.factors.calls).toBeCloseTo(0.2);
    const shown = await metrics.text();
    expect(shown).toMatch(/limit_load_factor\{of="calls"\} 0\.2/);
    expect(shown).toMatch(/limit_load_factor\{of="sends"\} 0\.4/);
  });
});

describe('limits around the cases', () => {
  const refusing = (limit: Limit): Limiter => ({
    take: async (asked) => ({ allowed: asked !== limit, retryAfterMs: asked === limit ? 7 : 0 }),
  });
  // Three of them: the others are of no account here.
  const cases = Object.fromEntries(
    ['message.search', 'message.page', 'attachment.create'].map((path) => [path, async () => path]),
  ) as unknown as Cases;
  const ann = { userId: 'ann', name: 'ann' };
  // What the cases answer here is their path, and they look at no input.
  const call = (of: Cases, path: 'message.search' | 'message.page') =>
    (of[path] as (...args: unknown[]) => unknown)(ann, {});

  it('[LIMIT-105] searches and attachments count, whatever becomes of them; other cases do not', async () => {
    const limited = limitCases(cases, refusing('message.search'));
    await expect(call(limited, 'message.search')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 7 });
    expect(await call(limited, 'message.page')).toBe('message.page');
    expect(await call(limitCases(cases, refusing('channel.join')), 'message.search')).toBe('message.search');
  });

  it('[LIMIT-106] refusals are counted by limit', async () => {
    const metrics = createMetrics();
    const limiter = measureLimiter(refusing('channel.join'), metrics);
    for (const limit of ['channel.join', 'channel.join', 'http.query'] as const) await limiter.take(limit, 'ann');
    expect(await metrics.text()).toContain('limit_refusals_total{limit="channel.join"} 2');
    expect(await metrics.text()).not.toContain('limit="http.query"');
  });
});
