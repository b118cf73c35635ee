import { availableParallelism } from 'node:os';
import { cacheSettings } from '@parley/cache';
import { filesContradictions, filesSettings } from '@parley/files';
import { pushSettings, queueSettings } from '@parley/queue';
import {
  alertSettings,
  bool,
  integer,
  list,
  oneOf,
  readSettings,
  SettingsError,
  setting,
  text,
  url,
  type Values,
} from '@parley/runtime';
import { storeSettings } from '@parley/store';

const SECRET_MIN_BYTES = 32;
const port = () => integer({ min: 0, max: 65_535 });

/** Everything that an api reads from its environment. */
export const apiSettings = {
  ...storeSettings,
  ...cacheSettings,
  ...filesSettings,
  LANES: queueSettings.LANES,
  ...pushSettings,
  NODE_ENV: setting(oneOf(['development', 'test', 'production']), 'development', 'what kind of run this is'),
  HOST: setting(text(), '127.0.0.1', 'address that users reach; 0.0.0.0 in a container'),
  PORT: setting(port(), 3_000, 'port that users reach'),
  OPS_PORT: setting(port().nullable(), null, 'port of /livez, /readyz and /metrics; by default PORT + 1'),
  THREADS: setting(integer({ min: 1, max: 256 }), availableParallelism(), 'threads that serve sockets'),
  THREAD_STALL_MS: setting(
    integer({ min: 0, max: 600_000 }),
    10_000,
    'a thread whose event loop does not turn for this long is ended and replaced, and its stack is logged; 0: never',
  ),
  AUTH_SECRET: setting(text().nullable(), null, 'key of HS256 tokens, 32 bytes or more; or AUTH_JWKS_URL', {
    secret: true,
  }),
  AUTH_JWKS_URL: setting(url(['http', 'https']).nullable(), null, 'keys of EdDSA, ES256 and RS256 tokens'),
  AUTH_ISSUER: setting(text().nullable(), null, 'the only `iss` that is taken'),
  AUTH_AUDIENCE: setting(text().nullable(), null, 'the only `aud` that is taken'),
  TOKEN_GRACE_MS: setting(integer({ min: 0 }), 25_000, 'how long a connection outlives its token'),
  DEV_TOKENS: setting(bool(), false, 'serve POST /dev/token, which makes anybody on this machine any user'),
  ALLOWED_HOSTS: setting(list(), [], 'host names that browsers may use, with commas; empty: any'),
  ALLOWED_ORIGINS: setting(list(), [], 'origins of pages that may connect, with commas; empty: the same host'),
  MAX_CONNECTIONS: setting(integer({ min: 1 }), 10_000, 'connections of this process: sockets, and as many streams'),
  CONNECTIONS_PER_USER: setting(
    integer({ min: 1 }),
    10,
    'connections of one user to this process, sockets and streams',
  ),
  COMPRESSION: setting(
    oneOf(['off', 'shared']),
    'shared',
    'shared: answers over HTTP above 1,024 bytes are compressed for clients that take it; frames of sockets and streams never are',
  ),
  COALESCE_ENABLED: setting(
    bool(),
    true,
    'what is published to a busy channel of a busy thread may wait up to 10 ms to be written with more of the same, a mark or a receipt up to 100 ms',
  ),
  SOCKET_BUFFER_MAX_BYTES: setting(
    integer({ min: 1_048_576 }),
    268_435_456,
    'what all readers of this process leave waiting; above it those are closed who leave the most',
  ),
  USER_DIRECTORY: setting(
    oneOf(['shared', 'open']),
    'shared',
    'whom `user.search` finds: those one shares a channel with, or everybody',
  ),
  ADMIN_TOKEN: setting(text().nullable(), null, 'key of the admin API, 32 bytes or more; without it there is none', {
    secret: true,
  }),
  ADMIN_PORT: setting(port().nullable(), null, 'port of the admin API; by default PORT + 2'),
  ADMIN_HOST: setting(text(), '127.0.0.1', 'address of the admin API'),
  MAX_CHANNEL_MEMBERS: setting(integer({ min: 2, max: 10_000 }), 100, 'members of a channel'),
  DRAIN_WINDOW_MS: setting(integer({ min: 0 }), 20_000, 'how long clients are asked, one by one, to connect elsewhere'),
  DRAIN_DELAY_MS: setting(
    integer({ min: 0 }),
    0,
    'time between "not ready" and the drain, for load balancers to notice',
  ),
  WEB_ROOT: setting(text().nullable(), null, 'folder of the web page; by default that of apps/web'),
  LOG_LEVEL: setting(
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'least level logged',
  ),
  ENABLE_PERFORMANCE_MONITORING: setting(
    bool(),
    true,
    'serve /metrics/{performance,database,websocket,cache} and /health/{performance,database,cache} on the ops port',
  ),
  // By the same measure as the alerts of Prometheus.
  ALERT_CPU_THRESHOLD: alertSettings.ALERT_CPU_THRESHOLD,
  ALERT_MEMORY_THRESHOLD: alertSettings.ALERT_MEMORY_THRESHOLD,
  ALERT_POOL_PERCENT: alertSettings.ALERT_POOL_PERCENT,
  TEST_CONTROLS: setting(bool(), false, 'for tests: POST /test/end-thread on the ops port'),
  UNSAFE_ACK_BEFORE_APPEND: setting(bool(), false, 'for tests: answer a send before it is in the log'),
};

export type ApiSettings = Values<typeof apiSettings>;

/** Reads the settings, or throws a `SettingsError` that names everything that is wrong with them. */
export function readApiSettings(env: NodeJS.ProcessEnv = process.env): ApiSettings {
  const contradicting = contradictions(env);
  try {
    const settings = readSettings(apiSettings, env);
    if (contradicting.length === 0) return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError([...error.problems, ...contradicting]);
  }
  throw new SettingsError(contradicting);
}

/** What single settings cannot say of themselves. */
export function contradictions(env: NodeJS.ProcessEnv): string[] {
  const secret = env.AUTH_SECRET ?? '';
  const jwks = env.AUTH_JWKS_URL ?? '';
  const problems = filesContradictions(env);
  if (secret === '' && jwks === '') problems.push('AUTH_SECRET: set it, or AUTH_JWKS_URL: tokens must be verified');
  if (secret !== '' && jwks !== '') problems.push('AUTH_SECRET: not together with AUTH_JWKS_URL');
  if (secret !== '' && Buffer.byteLength(secret) < SECRET_MIN_BYTES) {
    problems.push(`AUTH_SECRET: expected ${SECRET_MIN_BYTES} bytes or more, found ${Buffer.byteLength(secret)}`);
  }
  const adminToken = env.ADMIN_TOKEN ?? '';
  if (adminToken !== '' && Buffer.byteLength(adminToken) < SECRET_MIN_BYTES) {
    problems.push(`ADMIN_TOKEN: expected ${SECRET_MIN_BYTES} bytes or more, found ${Buffer.byteLength(adminToken)}`);
  }
  if (isOn(env.DEV_TOKENS) && secret === '') problems.push('DEV_TOKENS: needs AUTH_SECRET to sign with');
  const [ttl, heartbeat] = (['PRESENCE_TTL_MS', 'PRESENCE_HEARTBEAT_MS'] as const).map((name) =>
    Number(env[name] || apiSettings[name].byDefault),
  );
  if (Number(heartbeat) * 2 >= Number(ttl)) {
    problems.push('PRESENCE_TTL_MS: more than twice PRESENCE_HEARTBEAT_MS, or users are lost between two heartbeats');
  }
  if (env.NODE_ENV === 'production') {
    for (const name of ['UNSAFE_ACK_BEFORE_APPEND', 'TEST_CONTROLS']) {
      if (isOn(env[name])) problems.push(`${name}: not in production`);
    }
  }
  return problems;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && bool().safeParse(value).data === true;
}
