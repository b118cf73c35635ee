import { checkPolicies } from '@parley/cache';
import { type Check, clockFault, examine, type Finding } from './finding.ts';
import { type Redis, type RedisFacts, readRedis } from './redis-facts.ts';

const OLDEST_VERSION = 7;
/** Above it every api refuses to send. */
const MEMORY_FULL = 0.5;
const MEMORY_NEARLY_FULL = 0.4;

interface Expected {
  readonly fsync: 'always' | 'everysec';
  readonly replicas: number;
}

const when = (isSo: boolean, words: string) => (isSo ? words : null);
const share = ({ usedMemory, maxMemory }: RedisFacts) => (maxMemory === 0 ? 0 : usedMemory / maxMemory);
const percent = (facts: RedisFacts) => `${Math.round(share(facts) * 100)} %`;

const everyStore = (store: string): Check<RedisFacts>[] => [
  {
    name: `redis-${store}-version`,
    fault: ({ version }) =>
      when(Number.parseInt(version, 10) < OLDEST_VERSION, `the ${store} store is Redis ${version}`),
    cure: 'upgrade it to 7.0 or newer',
  },
  {
    name: `redis-${store}-role`,
    fault: ({ role }) => when(role === 'slave', `the ${store} store is a replica: it takes no writes`),
    cure: `name the master in REDIS_${store.toUpperCase()}_URL, or promote this one: REPLICAOF NO ONE`,
  },
  {
    name: `redis-${store}-clock`,
    fault: ({ clockOffsetMs }) => clockFault(`the ${store} store`, clockOffsetMs),
    cure: 'run an NTP client on both machines',
  },
];

const logStore = ({ replicas: wanted }: Expected): Check<RedisFacts>[] => [
  {
    name: 'redis-log-memory',
    fault: (facts) => when(share(facts) > MEMORY_FULL, `the log store is ${percent(facts)} full: sends are refused`),
    cure: 'raise maxmemory; if it grows on, see that a worker drains the log and that Postgres takes it',
  },
  {
    name: 'redis-log-memory',
    level: 'remark',
    fault: (facts) =>
      when(
        share(facts) > MEMORY_NEARLY_FULL && share(facts) <= MEMORY_FULL,
        `the log store is ${percent(facts)} full: above 50 % sends are refused`,
      ),
    cure: 'raise maxmemory, before it is needed',
  },
  {
    name: 'redis-log-disk',
    fault: ({ lastWriteOk }) => when(!lastWriteOk, 'the log store cannot write its append-only file'),
    cure: 'make room on its disk; it goes on by itself',
  },
  {
    name: 'redis-log-replicas',
    fault: ({ replicas }) =>
      when(replicas < wanted, `the log store has ${replicas} replicas, LOG_REPLICAS wants ${wanted}: no send succeeds`),
    cure: 'start the replicas (REPLICAOF), or lower LOG_REPLICAS',
  },
];

const ONE_SERVER = /are one server/;
const SURE = 'for now by CONFIG SET, for ever in its redis.conf';
const POLICY_CURES: readonly (readonly [RegExp, check: string, cure: string])[] = [
  [/^log store: maxmemory-policy/, 'redis-log-policy', `set maxmemory-policy noeviction, ${SURE}`],
  [/^log store: appendonly/, 'redis-log-aof', `set appendonly yes, ${SURE}`],
  [/^log store: appendfsync/, 'redis-log-fsync', `set appendfsync as LOG_FSYNC says, ${SURE}; or correct LOG_FSYNC`],
  [/^cache store: maxmemory-policy/, 'redis-cache-policy', `set maxmemory-policy allkeys-lru, ${SURE}`],
  [
    ONE_SERVER,
    'redis-two-servers',
    'start a second Redis and name it in REDIS_CACHE_URL: the policies exclude each other',
  ],
];

/** What is wrong with the two stores; either may be unreachable. */
export async function redisFindings(stores: { log?: Redis; cache?: Redis }, expected: Expected): Promise<Finding[]> {
  const { log, cache } = stores;
  const findings: Finding[] = [];
  if (log) findings.push(...examine([...everyStore('log'), ...logStore(expected)], await readRedis(log)));
  if (cache) findings.push(...examine(everyStore('cache'), await readRedis(cache)));
  if (log && cache) findings.push(...(await policyFindings(log, cache, expected)));
  return findings;
}

/** The same words as those of `/readyz`, with what to do. */
async function policyFindings(log: Redis, cache: Redis, { fsync }: Expected): Promise<Finding[]> {
  const reasons = await checkPolicies({ log, cache, fsync });
  // One server cannot have both policies: what else is said of them follows from that.
  const [root] = reasons.filter((reason) => ONE_SERVER.test(reason));
  return (root === undefined ? reasons : [root]).map((reason) => {
    const [, check = 'redis-policy', cure = 'correct it in redis.conf'] =
      POLICY_CURES.find(([pattern]) => pattern.test(reason)) ?? [];
    return { check, level: 'fault', fault: reason, cure };
  });
}
