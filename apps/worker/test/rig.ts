import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  close,
  connect,
  createConnection,
  createKeys,
  Epochs,
  HeaderLoad,
  LogStore,
  RedisDrainLog,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { type Doorbell, type DrainLog, type LogPlace, partitionOf, type Verdict } from '@parley/domain';
import { createLog } from '@parley/runtime';
import { openStore, type Store } from '@parley/store';
import { Redis } from 'ioredis';
import pg from 'pg';

export const silent = createLog({ name: 'test', level: 'silent' });
export const keys = createKeys('parley');

/** A place in the log store and a row in Postgres are the truth of these tests; this is the way in. */
export interface Rig extends AsyncDisposable {
  readonly redis: Redis;
  readonly store: Store;
  readonly log: RedisMessageLog;
  readonly drainLog: DrainLog;
  readonly epochs: Epochs;
  readonly userId: string;
  /** Every line that is published in any channel, from the start of the rig. */
  readonly published: { channelId: string; line: string }[];
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  channel(memberIds?: string[]): Promise<string>;
  user(): Promise<string>;
  /** Sends one message, the way a use case does; rings for it when told to. */
  send(channelId: string, message?: { body?: string; clientMsgId?: string; ring?: Doorbell }): Promise<LogPlace>;
  /** Entries in all partitions' logs. */
  backlog(): Promise<number>;
  drained(withinMs?: number): Promise<void>;
  header(channelId: string): Promise<Record<string, string>>;
}

interface RigOptions {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Wipes the log store first. */
  readonly empty?: boolean;
}

/** An api without its doors: real log, real Postgres, no doorbell unless a test gives one. */
export async function startRig({ redisUrl, databaseUrl, empty }: RigOptions): Promise<Rig> {
  const connection = createConnection({ url: redisUrl, kind: 'log', timeoutMs: 10_000, log: silent });
  await connect(connection, 10_000);
  const redis = new Redis(redisUrl);
  if (empty) await redis.flushall();
  const listener = new Redis(redisUrl);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  for (const one of [redis, listener, pool]) one.on('error', () => undefined);
  const store = openStore({ DATABASE_URL: databaseUrl }, { name: 'rig', log: silent });
  const logStore = new LogStore({ redis: connection });
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries: 50_000, log: silent });
  await epochs.run();
  const doorbell = { ring: () => undefined };
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const log = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas: new ReplicaWait(logStore, 0) });
  const published: { channelId: string; line: string }[] = [];
  listener.on('pmessage', (_pattern, name: string, line: string) => {
    published.push({ channelId: name.slice(-36), line });
  });
  await listener.psubscribe('*:win:*');
  const rig: Rig = {
    redis,
    store,
    log,
    epochs,
    drainLog: new RedisDrainLog({ store: logStore, epochs, keys }),
    userId: randomUUID(),
    published,
    sql: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    user: () => makeUser(store, randomUUID()),
    channel: (memberIds = []) => makeChannel(rig, memberIds),
    send: (channelId, message = {}) => send(rig, channelId, message),
    backlog: async () => {
      const pipeline = redis.pipeline();
      for (const stem of keys.stems) pipeline.xlen(`${stem}log`);
      return ((await pipeline.exec()) ?? []).reduce((sum, [, length]) => sum + Number(length), 0);
    },
    drained: (withinMs = 15_000) => until('the log is empty', async () => (await rig.backlog()) === 0, withinMs),
    header: (channelId) => redis.hgetall(`${keys.stemOf(channelId)}ch:${channelId}`),
    async [Symbol.asyncDispose]() {
      await epochs.stop();
      await close(connection);
      redis.disconnect();
      listener.disconnect();
      await Promise.all([store.stop(), pool.end()]);
    },
  };
  await makeUser(store, rig.userId);
  return rig;
}

async function makeUser(store: Store, id: string): Promise<string> {
  await store.archive.upsertUser({ id, name: id.slice(0, 8), avatarUrl: null, email: null, locale: null });
  return id;
}

async function makeChannel(rig: Rig, memberIds: string[]): Promise<string> {
  const id = randomUUID();
  const group = { kind: 'group', name: 'a group', encrypted: false, memberLimit: 100 } as const;
  const made = await rig.store.archive.createChannel({ id, ...group, ownerId: rig.userId, memberIds });
  if ('unknown' in made) throw new Error('unknown members');
  return id;
}

async function send(
  rig: Rig,
  channelId: string,
  { body = 'hello', clientMsgId = randomUUID(), ring }: { body?: string; clientMsgId?: string; ring?: Doorbell },
): Promise<LogPlace> {
  const senderId = rig.userId;
  const messageId = randomUUID();
  const none = { replyTo: null, threadOf: null, attachmentIds: [], mentions: [], encrypted: null };
  const json = JSON.stringify({ id: messageId, channelId, clientMsgId, senderId, body, ...none });
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    const verdict = await rig.log
      .accept({ channelId, senderId, clientMsgId, messageId, json })
      .catch((error: unknown): Verdict | { type: 'failed'; error: unknown } => ({ type: 'failed', error }));
    if (verdict.type === 'accepted' && verdict.first) ring?.ring(partitionOf(channelId));
    if (verdict.type === 'accepted' || verdict.type === 'duplicate') return verdict.place;
    if (verdict.type === 'epoch') await rig.log.renew().catch(() => sleep(50));
    else if (verdict.type === 'missing') await rig.log.load(channelId).catch(() => sleep(50));
    else if (verdict.type === 'failed') await sleep(50);
    else throw new Error(verdict.type);
  }
  throw new Error('not accepted in time');
}

/** Sends `count` messages over the channels, some in flight at a time; returns their client ids. */
export async function sendMany(
  rig: Rig,
  channels: readonly string[],
  { count, inFlight = 32, ring }: { count: number; inFlight?: number; ring?: Doorbell },
): Promise<string[]> {
  const ids: string[] = [];
  const one = async (): Promise<void> => {
    while (ids.length < count) {
      const clientMsgId = randomUUID();
      const channelId = channels[ids.length % channels.length] ?? '';
      ids.push(clientMsgId);
      await rig.send(channelId, { clientMsgId, body: `message ${ids.length}`, ...(ring && { ring }) });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return ids;
}

/** Every accepted id is in Postgres exactly once, and messages with changes are dense from 1 to each head. */
export async function losses(
  rig: Rig,
  ids: readonly string[],
): Promise<{ lost: number; doubled: number; gaps: number }> {
  const found = await rig.sql<{ id: string; times: string }>(
    'select client_msg_id as id, count(*) as times from messages where client_msg_id = any($1) group by 1',
    [ids],
  );
  const [dense] = await rig.sql<{ gaps: string }>(`
    select count(*) as gaps from (
      select e.n, row_number() over (partition by e.channel_id, e.epoch order by e.n) as expected
      from (select channel_id, epoch, n from messages union all select channel_id, epoch, n from log_change) e
    ) numbered where n <> expected`);
  return {
    lost: ids.length - found.length,
    doubled: found.filter((row) => Number(row.times) !== 1).length,
    gaps: Number(dense?.gaps),
  };
}

/** Waits for a condition, asking again every few milliseconds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await sleep(15);
  }
}

/** A worker as a process of its own. */
export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  output(): string;
  ready(withinMs?: number): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends the signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** The exit code, once it has ended by itself. */
  ended(): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Starts a worker; `ready` resolves at its ready line. */
export function startWorker(env: Record<string, string>): WorkerProcess {
  const child = spawn(process.execPath, ['--conditions=@parley/source', MAIN], {
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const running = () => child.exitCode === null && child.signalCode === null;
  const ended = async () => {
    if (running()) await once(child, 'exit');
    return child.exitCode;
  };
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (running()) child.kill(signal);
    return ended();
  };
  return {
    child,
    output: () => output,
    ready: (withinMs = 30_000) =>
      until(
        `the worker is ready: ${output}`,
        () => {
          if (!running()) throw new Error(`the worker ended:\n${output}`);
          return /^working on/m.test(output);
        },
        withinMs,
      ),
    kill: async () => void (await end('SIGKILL')),
    end,
    ended,
    [Symbol.asyncDispose]: async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), 12_000);
      await end();
      clearTimeout(late);
    },
  };
}
