import { BacklogShare, createLimiter, type Keys, type LogStore } from '@parley/cache';
import type { Limiter } from '@parley/domain';
import type { Log, Metrics, Service } from '@parley/runtime';
import { userIdOf } from './ids.ts';
import { measureLimiter } from './limit-layers.ts';
import { LoadMeter } from './load-meter.ts';
import type { ApiSettings } from './settings.ts';

interface LimitsOptions {
  readonly settings: ApiSettings;
  /** The rest of what the limiter stands on. */
  readonly limiter: Parameters<typeof createLimiter>[1];
  readonly store: LogStore;
  readonly keys: Keys;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The limits of this thread's users, and the services that measure by how much they have to shrink. */
export function openLimits(options: LimitsOptions): { limiter: Limiter; services: Service[] } {
  const { settings, log, metrics } = options;
  const exempt = new Set(settings.LIMIT_ALLOWLIST.map(userIdOf));
  const limited = (over: object) =>
    measureLimiter(createLimiter(settings, { ...options.limiter, exempt, ...over }), metrics);
  if (!settings.ADAPTIVE_LIMITS_ENABLED) return { limiter: limited({}), services: [] };
  const backlog = new BacklogShare({ ...options, backlogMaxEntries: settings.BACKLOG_MAX_ENTRIES });
  const load = new LoadMeter({ backlog, metrics, log });
  return { limiter: limited({ factors: () => load.factors }), services: [backlog, load] };
}
