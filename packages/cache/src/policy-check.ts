import type { Redis } from 'ioredis';

interface PolicyCheck {
  readonly log: Redis;
  readonly cache: Redis;
  readonly fsync: 'always' | 'everysec';
}

/**
 * Why the two stores must not be used as they are; empty when they may. A log store that evicts loses positions, one without an
 * append-only file loses acknowledged messages, and a cache store that does not evict fills up.
 */
export async function checkPolicies({ log, cache, fsync }: PolicyCheck): Promise<string[]> {
  const [logInfo, cacheInfo, flushes] = await Promise.all([log.info(), cache.info(), fsyncOf(log)]);
  const reasons: string[] = [];
  const require = (met: boolean, reason: string) => {
    if (!met) reasons.push(reason);
  };
  const logPolicy = fieldOf(logInfo, 'maxmemory_policy');
  const cachePolicy = fieldOf(cacheInfo, 'maxmemory_policy');
  require(logPolicy === 'noeviction', `log store: maxmemory-policy is ${logPolicy}, must be noeviction`);
  require(fieldOf(logInfo, 'aof_enabled') === '1', 'log store: appendonly is no, must be yes');
  require(flushes === null ||
    flushes === fsync ||
    flushes === 'always', `log store: appendfsync is ${flushes}, LOG_FSYNC says ${fsync}`);
  require(cachePolicy === 'allkeys-lru', `cache store: maxmemory-policy is ${cachePolicy}, must be allkeys-lru`);
  require(fieldOf(logInfo, 'run_id') !==
    fieldOf(cacheInfo, 'run_id'), 'REDIS_LOG_URL and REDIS_CACHE_URL are one server, must be two');
  return reasons;
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
}

/** Null where the server does not tell: managed servers often refuse CONFIG. */
async function fsyncOf(redis: Redis): Promise<string | null> {
  try {
    const [, value] = (await redis.config('GET', 'appendfsync')) as string[];
    return value ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}
