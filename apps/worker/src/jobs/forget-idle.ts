import { type Clock, type HeaderRegister, type Housekeeping, PARTITIONS } from '@parley/domain';
import type { Metrics } from '@parley/runtime';

interface ForgetIdleParts {
  readonly register: Pick<HeaderRegister, 'due' | 'forget' | 'keep'>;
  readonly store: Pick<Housekeeping, 'heads'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly idleMs: number;
}

const CHANNELS_AT_ONCE = 200;

/**
 * The job `forget-idle`: headers and windows of channels in which nothing has happened for a while leave the log store, which has no
 * TTL to do it. Each header is looked at once in that time.
 */
export function createForgetIdle({ register, store, clock, metrics, idleMs }: ForgetIdleParts) {
  const verdicts = metrics.counter('headers_looked_at_total', 'Loaded headers that were to be forgotten, by outcome', [
    'verdict',
  ]);

  async function forgetSome(partition: number, quietSinceMs: number): Promise<number> {
    const channelIds = await register.due(partition, { beforeMs: quietSinceMs, limit: CHANNELS_AT_ONCE });
    const heads = channelIds.length > 0 ? await store.heads(channelIds) : new Map();
    const kept: string[] = [];
    for (const channelId of channelIds) {
      const verdict = await register.forget(channelId, { head: heads.get(channelId) ?? null, quietSinceMs });
      verdicts.inc({ verdict });
      if (verdict === 'moved' || verdict === 'unflushed') kept.push(channelId);
    }
    await register.keep(partition, kept, clock.now());
    return channelIds.length;
  }

  return async (_payload: object, signal: AbortSignal): Promise<void> => {
    const quietSinceMs = clock.now() - idleMs;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      while (!signal.aborted && (await forgetSome(partition, quietSinceMs)) >= CHANNELS_AT_ONCE);
    }
  };
}
