import { cacheSettings } from '@parley/cache';
import { storageContradictions, storageSettings } from '@parley/files';
import { queueSettings } from '@parley/queue';
import { bool, integer, oneOf, readSettings, SettingsError, setting, text, type Values } from '@parley/runtime';
import { storeSettings } from '@parley/store';
import { jobSettingProblems, jobSettings } from './job-settings.ts';

const { REDIS_LOG_URL, REDIS_CACHE_URL, KEY_PREFIX, LOG_TIMEOUT_MS, BACKLOG_MAX_ENTRIES } = cacheSettings;
const { CACHE_TIMEOUT_MS, PRESENCE_TTL_MS, LAST_SEEN_TTL_MS } = cacheSettings;

/** Everything that a worker reads from its environment. */
export const workerSettings = {
  ...storeSettings,
  REDIS_LOG_URL,
  REDIS_CACHE_URL,
  KEY_PREFIX,
  LOG_TIMEOUT_MS,
  CACHE_TIMEOUT_MS,
  BACKLOG_MAX_ENTRIES,
  PRESENCE_TTL_MS,
  LAST_SEEN_TTL_MS,
  PRESENCE_SWEEP_MS: setting(
    integer({ min: 100, max: 3_600_000 }),
    60_000,
    'How often it is written to Postgres when users were seen last',
  ),
  ...queueSettings,
  ...storageSettings,
  ...jobSettings,
  OPS_PORT: setting(
    integer({ min: 1, max: 65_535 }).nullable(),
    null,
    'Port of /livez, /readyz and /metrics; without it there are none',
  ),
  OPS_HOST: setting(text(), '127.0.0.1', 'Address that the ops port listens on'),
  LOG_LEVEL: setting(
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'Lines below this level are left out',
  ),
  NODE_ENV: setting(oneOf(['production', 'development', 'test']), 'development', 'What this process is run for'),
  UNSAFE_TRIM_BEFORE_COMMIT: setting(
    bool(),
    false,
    'For tests only: entries leave the log before Postgres has them, and are lost with the worker. It shows that the loss tests can fail',
  ),
};

/** The values of `workerSettings`. */
export type WorkerSettings = Values<typeof workerSettings>;

/** Reads the settings, or throws a `SettingsError` that names every bad one. */
export function readWorkerSettings(env: NodeJS.ProcessEnv): WorkerSettings {
  const settings = readSettings(workerSettings, env);
  const problems = [...storageContradictions(env), ...jobSettingProblems(settings)];
  if (settings.UNSAFE_TRIM_BEFORE_COMMIT && settings.NODE_ENV === 'production') {
    problems.push('UNSAFE_TRIM_BEFORE_COMMIT: loses messages, so it is refused with NODE_ENV=production');
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
