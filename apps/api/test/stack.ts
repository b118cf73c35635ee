import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createLog, createMetrics, type Metrics } from '@parley/runtime';
import { migrate } from '@parley/store';
import { freePort, type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { createTRPCClient, createWSClient, httpBatchLink, wsLink } from '@trpc/client';
import { SignJWT } from 'jose';
import WebSocket from 'ws';
import { type ApiThread, composeThread } from '../src/compose.ts';
import { userIdOf } from '../src/ids.ts';
import type { AppRouter } from '../src/router.ts';
import { readApiSettings } from '../src/settings.ts';

const SECRET = 'a secret of more than thirty-two bytes';

/** A client of one user on a real socket, made of the stock tRPC client alone. */
export interface Chatter extends AsyncDisposable {
  readonly userId: string;
  readonly trpc: ReturnType<typeof createTRPCClient<AppRouter>>;
  readonly token: string;
  /** The close codes of its sockets, oldest first. */
  readonly closed: number[];
}

/** Real servers, one api thread in this process, and its clients. */
export interface Stack extends AsyncDisposable {
  readonly log: RedisServer;
  readonly cache: RedisServer;
  readonly db: TestDatabase;
  readonly env: Record<string, string>;
  readonly url: string;
  readonly port: number;
  readonly thread: ApiThread;
  readonly metrics: Metrics;
  token(sub: string, claims?: object, expiresInS?: number): Promise<string>;
  /** Connects as this user, to another node if it has another `url`; his row is there when it resolves. */
  user(
    name: string,
    options?: { token?: string | (() => Promise<string>); protocol?: string; url?: string },
  ): Promise<Chatter>;
  http(token: string | null, headers?: Record<string, string>): Chatter['trpc'];
  /** A worker of its own process, so that what is accepted is persisted. */
  startWorker(): Promise<void>;
}

/** Starts a stack; `env` are settings beside the defaults. */
export async function startStack(env: Record<string, string> = {}): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const [log, cache, db, port] = await Promise.all([
    startRedis({ appendonly: 'everysec', policy: 'noeviction' }),
    startRedis({ appendonly: 'no', policy: 'allkeys-lru' }),
    testDatabase({ template: { name: 'store', build: migrate } }),
    freePort(),
  ]);
  started.use(log);
  started.use(cache);
  started.use(db);
  const all = {
    NODE_ENV: 'test',
    DATABASE_URL: db.url,
    REDIS_LOG_URL: log.url,
    REDIS_CACHE_URL: cache.url,
    LOG_FSYNC: 'everysec',
    AUTH_SECRET: SECRET,
    DEV_TOKENS: 'true',
    DRAIN_WINDOW_MS: '0',
    LOG_LEVEL: 'silent',
    // Exact counts are what tests are about, however busy this machine is.
    ADAPTIVE_LIMITS_ENABLED: 'false',
    ...env,
  };
  const settings = readApiSettings(all);
  const metrics = createMetrics();
  const logger = createLog({ name: 'test', level: settings.LOG_LEVEL });
  const listen = { port, host: '127.0.0.1', reusePort: false };
  const thread = composeThread({ settings, listen, threads: 1, log: logger, metrics });
  started.defer(() => thread.drain());
  await thread.run();
  const url = `http://127.0.0.1:${port}`;
  const clients = started.use(new AsyncDisposableStack());
  const token: Stack['token'] = (sub, claims = {}, expiresInS = 600) =>
    new SignJWT({ name: sub, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresInS)
      .sign(new TextEncoder().encode(SECRET));
  const stack: Stack = {
    log,
    cache,
    db,
    env: all,
    url,
    port,
    thread,
    metrics,
    token,
    user: async (name, options = {}) => {
      const mine = options.token ?? (await token(name));
      const at = options.url ?? url;
      const chatter = clients.use(connectAs({ url: at, name, token: mine, protocol: options.protocol }));
      if (options.token === undefined) await chatter.trpc.user.me.query();
      return chatter;
    },
    http: (bearer, headers = {}) =>
      createTRPCClient<AppRouter>({
        links: [
          httpBatchLink({
            url: `${url}/trpc`,
            headers: { ...(bearer !== null && { authorization: `Bearer ${bearer}` }), ...headers },
          }),
        ],
      }),
    startWorker: async () => {
      clients.use(await startApp('worker', all));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  const owned = started.move();
  return stack;
}

interface ConnectOptions {
  readonly url: string;
  readonly name: string;
  readonly token: string | (() => Promise<string>);
  readonly protocol: string | undefined;
}

/** A client of its own, on whichever node the URL names. */
export function connectAs({ url, name, token, protocol }: ConnectOptions): Chatter {
  const closed: number[] = [];
  const ws = createWSClient({
    url: `${url.replace('http', 'ws')}/trpc`,
    // At run time the ws package's class is what the client asks for; only its types differ from the browser's.
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => 50,
    onClose: (cause) => {
      if (cause?.code !== undefined) closed.push(cause.code);
    },
    connectionParams: async () => ({
      token: typeof token === 'string' ? token : await token(),
      ...(protocol !== undefined && { protocol }),
    }),
  });
  return {
    userId: userIdOf(name),
    token: typeof token === 'string' ? token : '',
    trpc: createTRPCClient<AppRouter>({ links: [wsLink({ client: ws })] }),
    closed,
    [Symbol.asyncDispose]: async () => {
      await ws.close();
    },
  };
}

/** An app as a process of its own, next to the stack. */
export interface AppProcess extends AsyncDisposable {
  /** SIGKILL: nothing is flushed, nothing is said. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the drain to end. */
  stop(): Promise<void>;
}

/** Starts an app and resolves when it says that it is ready. */
export async function startApp(name: 'api' | 'worker', env: Record<string, string>): Promise<AppProcess> {
  const child = spawn(process.execPath, ['--conditions=@parley/source', `apps/${name}/src/main.ts`], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (/^(working|listening) on/m.test(output)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the ${name} ended with ${code}:\n${output}`)));
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  return {
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}

/** The failure of a call as the client sees it. */
export async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: string; retryAfterMs?: number; epoch?: number }> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
  const data = (outcome.error as { data?: { parley?: { code: string } } }).data;
  if (!data?.parley) throw new Error('a failure without a code', { cause: outcome.error });
  return data.parley;
}

/** An input for `message.send`. */
export const text = (channelId: string, body: string) => ({ channelId, clientMsgId: randomUUID(), body });
