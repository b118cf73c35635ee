import { createLog, createMetrics } from '@parley/runtime';
import { freePort } from '@parley/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { composeThread } from '../src/compose.ts';
import { composeAdmin } from '../src/compose-admin.ts';
import { readApiSettings } from '../src/settings.ts';
import { type Chatter, connectAs, type Stack } from './stack.ts';

const log = createLog({ name: 'test', level: 'silent' });

/** What the admin API answered. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the test expects of it
  readonly body: any;
  readonly headers: Headers;
}

/** The admin API of a stack, called over real HTTP. */
export interface Admin extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** `GET /v1/users`; a text for a body is sent as it is. */
  call(what: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

const TOKEN = 'an admin token of more than thirty-two bytes';

export async function startAdmin(stack: Stack): Promise<Admin> {
  const port = await freePort();
  const at = { token: TOKEN, port, host: '0.0.0.0' };
  const admin = composeAdmin({ settings: readApiSettings(stack.env), log, metrics: createMetrics() }, at);
  await admin.run();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    token: TOKEN,
    call: async (what, body, headers = {}) => {
      const [method = '', path = ''] = what.split(' ');
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isLines = response.headers.get('content-type') === 'application/x-ndjson';
      const lines = () =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line));
      return {
        status: response.status,
        headers: response.headers,
        body: isLines ? lines() : JSON.parse(text || 'null'),
      };
    },
    [Symbol.asyncDispose]: () => admin.stop(),
  };
}

/** Another node on the stores of a stack. */
export interface OtherNode extends AsyncDisposable {
  readonly url: string;
  user(name: string, token: string): Promise<Chatter>;
}

export async function startNode(stack: Stack, env: Record<string, string> = {}): Promise<OtherNode> {
  await using started = new AsyncDisposableStack();
  const port = await freePort();
  const settings = readApiSettings({ ...stack.env, ...env });
  const listen = { port, host: '127.0.0.1', reusePort: false };
  const thread = composeThread({ settings, listen, threads: 1, log, metrics: createMetrics() });
  started.defer(() => thread.drain());
  await thread.run();
  const clients = started.use(new AsyncDisposableStack());
  const owned = started.move();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    user: async (name, token) => {
      const chatter = clients.use(connectAs({ url, name, token, protocol: undefined }));
      await chatter.trpc.user.me.query();
      return chatter;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** One statement beside the stack. */
export async function sqlOf<Row = Record<string, unknown>>(
  stack: Stack,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: stack.db.url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Some commands on the log store beside the stack. */
export async function onLogStore<T>(stack: Stack, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(stack.log.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Resolves when it is so; a test that waits for what never comes says what. */
export async function until<T>(look: () => Promise<T> | T, met: (seen: T) => boolean, what: string): Promise<T> {
  for (const deadline = Date.now() + 15_000; ; ) {
    const seen = await look();
    if (met(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`never: ${what}: ${JSON.stringify(seen)?.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
