import {
  type DrainBatch,
  type DrainResult,
  type DrainStore,
  type EntrySpot,
  type Hole,
  type PartitionCursor,
  PoisonError,
  type ReadCursorRow,
  type Superseded,
} from '@parley/domain';
import { formatPosition, parsePosition } from '@parley/protocol';
import type { Database } from './database.ts';
import { isPoison } from './database-failure.ts';
import { drainColumns } from './drain-columns.ts';
import { positionOrNull } from './positions.ts';
import { statement } from './statement.ts';

const CURSORS = statement('drain-cursors');
const COMMIT = statement('drain');
const HOLES_AMONG = statement('holes-among');
const ABSENT_AMONG = statement('absent-among');
const FLUSH_CURSORS = statement('flush-cursors');

interface CursorRow {
  readonly partition: number;
  readonly epoch: number;
  readonly read_epoch: number;
  readonly read_k: number;
}

interface TwinRow {
  readonly partition: number;
  readonly channel_id: string;
  readonly epoch: number;
  readonly n: number;
  readonly sender_id: string;
  readonly client_msg_id: string;
  readonly by_epoch: number;
  readonly by_n: number;
}

interface AbsentRow {
  readonly channel_id: string;
  readonly epoch: number;
  readonly n: number;
}

interface HoleRow {
  readonly channel_id: string;
  readonly epoch: number;
  readonly n: number;
  readonly by_epoch: number | null;
  readonly by_n: number | null;
}

/** The worker's side of Postgres. */
export function drainStore(database: Database): DrainStore {
  return {
    cursors: () => readCursors(database),
    commit: (batch) => commit(database, batch),
    holesAmong: async (entries) => (await database.query<HoleRow>(HOLES_AMONG, spotColumns(entries))).map(holeOf),
    absentAmong: async (entries) => {
      const rows = await database.query<AbsentRow>(ABSENT_AMONG, spotColumns(entries));
      return rows.map((row) => ({ channelId: row.channel_id, position: formatPosition(row) }));
    },
    flushCursors: async (rows) => {
      if (rows.length > 0) await database.query(FLUSH_CURSORS, cursorColumns(rows));
    },
  };
}

/** Where every partition stands. */
export async function readCursors(database: Database): Promise<PartitionCursor[]> {
  const rows = await database.query<CursorRow>(CURSORS);
  return rows.map((row) => ({
    partition: row.partition,
    epoch: row.epoch,
    readEpoch: row.read_epoch,
    readK: row.read_k,
  }));
}

async function commit(database: Database, batch: DrainBatch): Promise<DrainResult> {
  try {
    const [row] = await database.query<{ moved: number[]; twins: TwinRow[] }>(COMMIT, drainColumns(batch));
    return { moved: new Set(row?.moved), superseded: row?.twins.map(supersededOf) ?? [] };
  } catch (error) {
    if (isPoison(error)) throw new PoisonError(error.message, { cause: error });
    throw error;
  }
}

function supersededOf(row: TwinRow): Superseded {
  return {
    partition: row.partition,
    channelId: row.channel_id,
    position: formatPosition(row),
    senderId: row.sender_id,
    clientMsgId: row.client_msg_id,
    by: formatPosition({ epoch: row.by_epoch, n: row.by_n }),
  };
}

function holeOf(row: HoleRow): Hole {
  return {
    channelId: row.channel_id,
    position: formatPosition(row),
    by: positionOrNull(row.by_epoch, row.by_n),
  };
}

function spotColumns(entries: readonly EntrySpot[]): unknown[][] {
  const places = entries.map(({ position }) => parsePosition(position));
  return [entries.map((entry) => entry.channelId), places.map((p) => p.epoch), places.map((p) => p.n)];
}

function cursorColumns(rows: readonly ReadCursorRow[]): unknown[][] {
  const read = rows.map((row) => row.readTo);
  const delivered = rows.map((row) => row.deliveredTo);
  return [
    rows.map((row) => row.channelId),
    rows.map((row) => row.userId),
    ...[read, delivered].flatMap((places) => [
      places.map((place) => place?.epoch ?? 0),
      places.map((place) => place?.n ?? 0),
      places.map((place) => place?.at ?? 0),
    ]),
  ];
}
