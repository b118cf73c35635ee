import { apiSettings } from '../../apps/api/src/settings.ts';
import { workerSettings } from '../../apps/worker/src/settings.ts';

/** Which app reads a setting, and whether its value may stand in a values file. */
export interface ChartSetting {
  readonly of: readonly ('api' | 'worker')[];
  readonly secret: boolean;
  readonly doc: string;
}

/** What the chart decides itself: it has values of its own, or must fit the pod. */
export const MANAGED = [
  'ADMIN_HOST',
  'ADMIN_PORT',
  'ATTACHMENTS_DIR',
  'DRAIN_DELAY_MS',
  'DRAIN_WINDOW_MS',
  'HOST',
  'LANES',
  'MAX_CONNECTIONS',
  'NODE_ENV',
  'OPS_HOST',
  'OPS_PORT',
  'PORT',
  'THREADS',
];

/** What no deployment may have. */
export const NEVER = ['DEV_TOKENS', 'TEST_CONTROLS', 'UNSAFE_ACK_BEFORE_APPEND', 'UNSAFE_TRIM_BEFORE_COMMIT'];

/** Addresses of stores mostly carry a password. */
const ADDRESSES = ['REDIS_LOG_URL', 'REDIS_CACHE_URL'];

/** Every setting of both apps that a chart may set, sorted by name. */
export function chartSettings(): Record<string, ChartSetting> {
  const all = { ...workerSettings, ...apiSettings };
  const names = Object.keys(all).filter((name) => !MANAGED.includes(name) && !NEVER.includes(name));
  return Object.fromEntries(
    names.sort().map((name) => {
      const of = (['api', 'worker'] as const).filter((app) =>
        Object.hasOwn(app === 'api' ? apiSettings : workerSettings, name),
      );
      const definition = Object.entries(all).find(([one]) => one === name)?.[1];
      const secret = definition?.secret === true || ADDRESSES.includes(name);
      return [name, { of, secret, doc: definition?.doc ?? '' }];
    }),
  );
}
