import { PRESENCE_MEMBERS_MAX, TYPING_TTL_MS } from '@parley/protocol';
import { bool, integer, list, oneOf, setting, url } from '@parley/runtime';
import * as z from 'zod';

const redisUrl = () => url(['redis', 'rediss']);
const calls = () => integer({ min: 1, max: 10_000_000 });

/** The settings of everything Redis. */
export const cacheSettings = {
  REDIS_LOG_URL: setting(redisUrl(), undefined, 'Redis that holds the message log: noeviction, append-only file on'),
  REDIS_CACHE_URL: setting(
    redisUrl(),
    undefined,
    'Redis that may forget: allkeys-lru. Never the server of REDIS_LOG_URL',
  ),
  KEY_PREFIX: setting(
    // A brace would be taken for a hash tag, and move keys to other slots.
    z.string().regex(/^[\w-]{1,40}$/, { error: 'letters, digits, _ and - (at most 40)' }),
    'parley',
    'What every key begins with: two deployments on the same servers need two',
  ),
  LOG_FSYNC: setting(
    oneOf(['always', 'everysec']),
    'always',
    'How the log store must flush its append-only file; everysec loses up to a second with the machine, unless LOG_REPLICAS is set',
  ),
  LOG_REPLICAS: setting(
    integer({ min: 0, max: 5 }),
    0,
    'Replicas of the log store that must have an entry before it is acknowledged',
  ),
  LOG_TIMEOUT_MS: setting(
    integer({ min: 50, max: 60_000 }),
    1_000,
    'How long the log store may take; then the outcome is unknown and the client tries again',
  ),
  CACHE_TIMEOUT_MS: setting(
    integer({ min: 10, max: 60_000 }),
    250,
    'How long the cache store may take; then this thread goes on without it',
  ),
  BACKLOG_MAX_ENTRIES: setting(
    integer({ min: 1, max: 1_000_000 }),
    50_000,
    'Entries of one partition that may wait for Postgres; above it sends are refused with BACKPRESSURE',
  ),
  PRESENCE_TTL_MS: setting(
    integer({ min: 500, max: 86_400_000 }),
    300_000,
    'How long a user whose node has died still counts as here; more than twice PRESENCE_HEARTBEAT_MS',
  ),
  PRESENCE_HEARTBEAT_MS: setting(
    integer({ min: 100, max: 3_600_000 }),
    30_000,
    'How often a node says of its users that they are here',
  ),
  PRESENCE_MEMBERS_MAX: setting(
    integer({ min: 0, max: 1_000 }),
    PRESENCE_MEMBERS_MAX,
    'Members up to which an open channel is told who comes and goes; above it presence is only answered. 0: never told',
  ),
  LAST_SEEN_TTL_MS: setting(
    integer({ min: 1_000, max: 30 * 86_400_000 }),
    86_400_000,
    'How long the cache store knows when a user was seen last; Postgres keeps it for ever',
  ),
  TYPING_TTL_MS: setting(
    integer({ min: 100, max: 60_000 }),
    TYPING_TTL_MS,
    'How long somebody counts as typing who does not say it again',
  ),
  RATE_LIMIT_ENABLED: setting(bool(), true, 'Whether users are limited at all'),
  ADAPTIVE_LIMITS_ENABLED: setting(
    bool(),
    true,
    'Whether limits shrink under load: by the event loop and the backlog; what users send last, and by the backlog alone',
  ),
  LIMIT_ALLOWLIST: setting(list(), [], 'Users (ids, or subjects of tokens, with commas) that have no limits'),
  SEND_RATE_PER_MINUTE: setting(
    integer({ min: 1, max: 1_000_000 }),
    60,
    'Messages a minute that a user may send for long',
  ),
  SEND_BURST: setting(integer({ min: 1, max: 1_000_000 }), 100, 'Messages that a user may send at once after a pause'),
  SEARCHES_PER_MINUTE: setting(calls(), 60, 'Searches that a user may make in any minute'),
  CHANNEL_CREATES_PER_HOUR: setting(calls(), 5, 'Channels that a user may create in any hour'),
  CHANNEL_JOINS_PER_HOUR: setting(calls(), 20, 'Channels that a user may join in any hour'),
  ATTACHMENTS_PER_HOUR: setting(calls(), 100, 'Attachments that a user may begin in any hour'),
  TICKETS_PER_HOUR: setting(calls(), 1_000, 'Tickets for SSE connections that a user may ask for in any hour'),
  HTTP_QUERIES_PER_HOUR: setting(calls(), 1_000, 'HTTP calls that a user may make in any hour'),
};
