/**
 * `npm run trace -- MESSAGE_ID` or `-- CHANNEL_ID POSITION` (`--json`): a message's whole life, or that of any other entry: accepted
 * where and when, fanned out by which nodes, persisted, changed, delivered, read, told to who was away, refused. It only reads.
 * Exit code 0 when it is found, 1 when nobody knows it, 2 when a store could not be read.
 */
import { close, connect, createConnection } from '@parley/cache';
import { createLog } from '@parley/runtime';
import pg from 'pg';
import { jobHappenings } from './trace/jobs.ts';
import { findInWindow, findWaiting, logHappenings } from './trace/log-side.ts';
import { nodeHappenings } from './trace/nodes.ts';
import { findInPostgres, postgresHappenings } from './trace/postgres-side.ts';
import { inOrder, type Subject, timelineOf } from './trace/timeline.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const POSITION = /^\d{1,10}-\d{1,15}$/;

const { DATABASE_URL, DATABASE_SCHEMA, REDIS_LOG_URL, KEY_PREFIX = 'parley' } = process.env;
const [id = '', position, ...more] = process.argv.slice(2).filter((word) => word !== '--json');
const isAsked = UUID.test(id) && (position === undefined || POSITION.test(position)) && more.length === 0;

function usage(words: string): never {
  console.error(words);
  process.exit(2);
}

if (!isAsked) usage('usage: npm run trace -- MESSAGE_ID | CHANNEL_ID POSITION [--json]');
if (!DATABASE_URL || !REDIS_LOG_URL) {
  usage('DATABASE_URL and REDIS_LOG_URL are not set, and no stack of `npm start` has left its own in .data/stack.env.');
}

async function trace(databaseUrl: string, logUrl: string): Promise<void> {
  await using open = new AsyncDisposableStack();
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'parley-trace',
    ...(DATABASE_SCHEMA && { options: `-c search_path="${DATABASE_SCHEMA}",public` }),
  });
  open.defer(() => client.end());
  await client.connect();
  const redis = await connectTo(logUrl, 'log');
  open.defer(() => close(redis));
  const subscriber = await connectTo(logUrl, 'subscriber');
  open.defer(() => close(subscriber));

  const subject: Subject | null =
    position === undefined
      ? ((await findInPostgres(client, { messageId: id })) ?? (await findWaiting(redis, KEY_PREFIX, id)))
      : ((await findInPostgres(client, { channelId: id, position })) ??
        (await findInWindow(redis, KEY_PREFIX, { channelId: id, position: position as Subject['position'] })));
  if (!subject) {
    console.error(`neither Postgres nor the log knows ${[id, position].filter(Boolean).join(' ')}`);
    process.exitCode = 1;
    return;
  }
  const happenings = [
    ...(await postgresHappenings(client, subject)),
    ...(await logHappenings(redis, KEY_PREFIX, subject)),
    ...(await nodeHappenings({ redis, subscriber }, KEY_PREFIX, subject)),
    ...(await jobHappenings(logUrl, KEY_PREFIX, subject)),
  ];
  if (process.argv.includes('--json')) console.log(JSON.stringify({ ...subject, happenings: inOrder(happenings) }));
  else for (const line of timelineOf(subject, happenings)) console.log(line);
}

async function connectTo(url: string, kind: 'log' | 'subscriber') {
  const redis = createConnection({ url, kind, log: createLog({ name: 'trace', level: 'silent' }) });
  await connect(redis);
  return redis;
}

try {
  await trace(DATABASE_URL ?? '', REDIS_LOG_URL ?? '');
} catch (error) {
  console.error(`the stack could not be read: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
