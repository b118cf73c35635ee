import {
  type ChangeRow,
  type CreatedRow,
  type DrainBatch,
  type LogPlace,
  type MemberRow,
  type Move,
  type PartitionCursor,
  partitionOf,
} from '@parley/domain';
import { testDatabase } from '@parley/testing/vitest';
import { Database } from '../src/database.ts';
import { migrate } from '../src/migrate.ts';
import { openStore, type Store } from '../src/store.ts';

/** A store on a database of its own, and SQL beside it. */
export interface Fixture extends AsyncDisposable {
  readonly store: Store;
  readonly url: string;
  sql<Row = Record<string, unknown>>(text: string, params?: unknown[]): Promise<Row[]>;
  /** Runs a statement in a transaction that ends after the work. */
  held(text: string, work: () => Promise<void>): Promise<void>;
}

export async function openFixture(): Promise<Fixture> {
  const owned = new AsyncDisposableStack();
  const { url } = owned.use(await testDatabase({ template: { name: 'store', build: (at) => migrate(at) } }));
  const beside = owned.use(directly(url));
  const store = owned.use(openStore({ DATABASE_URL: url }, { name: 'store-test' }));
  return {
    store,
    url,
    sql: (text, params = []) => beside.query({ name: '', text }, params),
    held: (text, work) => beside.during('test', [text], work),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A connection pool without our limits. */
export function directly(url: string): Database {
  return new Database({
    url,
    schema: null,
    applicationName: 'store-test-beside',
    poolMax: 4,
    statementTimeoutMs: 0,
    warn: () => {},
  });
}

/** A UUID that says what it is: `uuid('c', 7)`. Two of one kind sort by their number. */
export function uuid(kind: 'channel' | 'user' | 'message' | 'operation' | 'client', n: number): string {
  const digit = { channel: 1, user: 2, message: 3, operation: 4, client: 5 }[kind];
  return `${digit}0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

export function place(epoch: number, n: number, m = n): LogPlace {
  return { epoch, n, m, at: 1_000_000 + n };
}

export interface Said {
  readonly channelId: string;
  readonly place: LogPlace;
  readonly senderId?: string;
  readonly clientMsgId?: string;
  readonly id?: string;
  readonly body?: string;
  readonly over?: Partial<CreatedRow>;
}

let serial = 0;

/** A message; what is not given is its own. */
export function created(said: Said): CreatedRow {
  const n = ++serial;
  return {
    partition: partitionOf(said.channelId),
    channelId: said.channelId,
    place: said.place,
    id: said.id ?? uuid('message', n),
    clientMsgId: said.clientMsgId ?? uuid('client', n),
    senderId: said.senderId ?? uuid('user', 1),
    body: said.body ?? `message ${said.place.n}`,
    replyTo: null,
    threadOf: null,
    attachmentIds: [],
    mentions: [],
    encrypted: null,
    editedAt: null,
    deletedAt: null,
    ...said.over,
  };
}

export function member(row: Omit<MemberRow, 'partition'>): MemberRow {
  return { partition: partitionOf(row.channelId), ...row };
}

export function change(row: Partial<ChangeRow> & Pick<ChangeRow, 'channelId' | 'place' | 'kind'>): ChangeRow {
  return { partition: partitionOf(row.channelId), target: null, operationId: null, actorId: null, ...row };
}

/** A batch that moves the partitions of its rows on by `steps` from where they stand. */
export async function batchOf(
  store: Store,
  rows: Partial<Omit<DrainBatch, 'moves'>>,
  { steps = 1 }: { steps?: number } = {},
): Promise<DrainBatch> {
  const { created = [], members = [], changes = [], deadLetters = [], heads } = rows;
  const { amended = [], reactions = [], mentions = [], channels = [] } = rows;
  const touched = new Set([...created, ...members, ...changes, ...deadLetters].map((row) => row.partition));
  const cursors = (await store.drain.cursors()).filter((cursor) => touched.has(cursor.partition));
  const newest = new Map([...changes, ...created].map((row) => [row.channelId, row] as const));
  return {
    moves: cursors.map((from) => moveOf(from, steps)),
    created,
    members,
    changes,
    deadLetters,
    amended,
    reactions,
    mentions,
    channels,
    heads: heads ?? [...newest.values()].map(({ partition, channelId, place }) => ({ partition, channelId, place })),
  };
}

export function moveOf(from: PartitionCursor, steps: number): Move {
  return { from, toEpoch: from.epoch, toK: (from.readEpoch === from.epoch ? from.readK : 0) + steps };
}

/** Opens an epoch, as an api does, and tells it. */
export function openEpoch(store: Store): Promise<number> {
  return store.ledger.locked((lock) => lock.open({ runId: 'run', replicationId: 'replication' }));
}

export async function makeUsers(store: Store, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => uuid('user', i + 1));
  for (const [i, id] of ids.entries()) {
    await store.archive.upsertUser({ id, name: `user ${i + 1}`, avatarUrl: null, email: null, locale: null });
  }
  return ids;
}

/** A group whose owner is the first of the users. */
export async function makeChannel(
  store: Store,
  { id, userIds, memberLimit = 100 }: { id: string; userIds: readonly string[]; memberLimit?: number },
): Promise<void> {
  const [ownerId = '', ...memberIds] = userIds;
  const kind = 'group';
  const result = await store.archive.createChannel({
    id,
    kind,
    name: id,
    encrypted: false,
    memberLimit,
    ownerId,
    memberIds,
  });
  if ('unknown' in result) throw new Error(`unknown: ${result.unknown.join()}`);
}
