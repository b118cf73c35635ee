import { cacheSettings, close } from '@parley/cache';
import { readSettings, type Setting } from '@parley/runtime';
import { storeSettings } from '@parley/store';
import { apiSettings } from '../../apps/api/src/settings.ts';
import { agreementFindings } from './agreement.ts';
import { examine, type Finding } from './finding.ts';
import { machineFindings } from './machine.ts';
import { POSTGRES_CHECKS } from './postgres.ts';
import { readPostgres } from './postgres-facts.ts';
import { redisFindings } from './redis.ts';
import { openRedis } from './redis-facts.ts';
import { settingsFindings } from './settings.ts';

const isFinding = (x: object): x is Finding => 'cure' in x;

/** Everything that is wrong with the set-up that these settings describe. A store that is away keeps no other check from being made. */
export async function diagnose(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const findings = settingsFindings(env);
  const read = <T>(name: string, definition: Setting<T>) => readOne({ name, definition, env });
  const machine = await machineFindings({
    host: read('HOST', apiSettings.HOST) ?? '127.0.0.1',
    port: read('PORT', apiSettings.PORT) ?? 3_000,
    connectionsMax: read('MAX_CONNECTIONS', apiSettings.MAX_CONNECTIONS) ?? 0,
    jwksUrl: read('AUTH_JWKS_URL', apiSettings.AUTH_JWKS_URL) ?? null,
  });
  findings.push(...machine);

  const databaseUrl = read('DATABASE_URL', storeSettings.DATABASE_URL);
  const postgres = databaseUrl
    ? await readPostgres(databaseUrl, read('DATABASE_SCHEMA', storeSettings.DATABASE_SCHEMA) ?? null)
    : null;
  if (postgres) findings.push(...(isFinding(postgres) ? [postgres] : examine(POSTGRES_CHECKS, postgres)));

  await using open = new AsyncDisposableStack();
  const connection = async (store: 'log' | 'cache', url: string | undefined) => {
    const redis = url ? await openRedis(store, url) : null;
    if (redis && isFinding(redis)) findings.push(redis);
    if (!redis || isFinding(redis)) return null;
    open.defer(() => close(redis));
    return redis;
  };
  const log = await connection('log', read('REDIS_LOG_URL', cacheSettings.REDIS_LOG_URL));
  const cache = await connection('cache', read('REDIS_CACHE_URL', cacheSettings.REDIS_CACHE_URL));
  const expected = {
    fsync: read('LOG_FSYNC', cacheSettings.LOG_FSYNC) ?? 'always',
    replicas: read('LOG_REPLICAS', cacheSettings.LOG_REPLICAS) ?? 0,
  };
  findings.push(...(await redisFindings({ ...(log && { log }), ...(cache && { cache }) }, expected)));
  // Without tables there is nothing to agree on, and a replica is the wrong one to ask.
  const isReplica = findings.some(({ check }) => check === 'redis-log-role');
  if (log && !isReplica && postgres && !isFinding(postgres) && postgres.epochs.length > 0) {
    const prefix = read('KEY_PREFIX', cacheSettings.KEY_PREFIX) ?? 'parley';
    findings.push(...(await agreementFindings(log, prefix, postgres)));
  }
  return findings;
}

/** One setting by itself; undefined when it is bad, which the check of the settings has said. */
function readOne<T>({ name, definition, env }: { name: string; definition: Setting<T>; env: NodeJS.ProcessEnv }) {
  try {
    return readSettings({ [name]: definition }, env)[name] as T;
  } catch {
    return undefined;
  }
}
