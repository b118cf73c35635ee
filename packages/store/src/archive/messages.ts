import { type Archive, type Outcome, partitionOf, type StoredMessage } from '@parley/domain';
import { formatPosition, type Position, parsePosition } from '@parley/protocol';
import type { Database } from '../database.ts';
import { type Statement, statement } from '../statement.ts';
import { type HistoryRow, historyOf } from './history.ts';
import { type MessageColumns, messageOf } from './rows.ts';

const MESSAGE = statement('message');
const PAGE = statement('page');
const COUNT_AFTER = statement('count-after');
const HISTORY = statement('history');
const OUTCOME = statement('outcome');
const THREAD = statement('thread');

type OutcomeRow =
  | {
      readonly type: 'persisted';
      readonly id: string;
      readonly epoch: number;
      readonly n: number;
      readonly at: number;
    }
  | { readonly type: 'rejected'; readonly reason: string };

/** What was said, and what became of an operation. */
export function messages(
  database: Database,
): Pick<Archive, 'message' | 'page' | 'thread' | 'countAfter' | 'history' | 'outcome'> {
  return {
    message: async (channelId, messageId) => {
      const [row] = await database.query<{ message: MessageColumns }>(MESSAGE, [channelId, messageId]);
      return row ? messageOf(row.message) : null;
    },
    page: (query) => readPage(database, { statement: PAGE, more: [] }, query),
    thread: ({ messageId, ...query }) => readPage(database, { statement: THREAD, more: [messageId] }, query),
    countAfter: async (channelId, position, upTo) => {
      const [from, to] = [parsePosition(position), parsePosition(upTo)];
      const values = [channelId, from.epoch, from.n, to.epoch, to.n];
      const [row] = await database.query<{ messages: number }>(COUNT_AFTER, values);
      return row?.messages ?? 0;
    },
    history: async ({ channelId, userId, after, limit }) => {
      const { epoch, n } = parsePosition(after);
      const values = [channelId, userId, epoch, n, partitionOf(channelId), limit + 1];
      const [row] = await database.query<HistoryRow>(HISTORY, values);
      if (!row) throw new Error('history gave no row');
      return historyOf(row, limit);
    },
    outcome: async ({ channelId, actorId, operationId }) => {
      const [row] = await database.query<OutcomeRow>(OUTCOME, [channelId, actorId, operationId]);
      return row ? outcomeOf(row) : null;
    },
  };
}

function outcomeOf(row: OutcomeRow): Outcome {
  if (row.type === 'rejected') return { type: 'rejected', reason: row.reason };
  return { type: 'persisted', id: row.id, position: formatPosition(row), at: row.at };
}

interface PageRow {
  readonly side: 'before' | 'from';
  readonly message: MessageColumns;
}

/** What is asked on each side of a place; the messages at the place itself belong to `from`. */
interface Cut {
  readonly epoch: number;
  readonly n: number;
  readonly before: number;
  readonly from: number;
}

/** No position reaches it: the newest messages are those before it. */
const END = Number.MAX_SAFE_INTEGER;

function cutOf(query: Parameters<Archive['page']>[0]): Cut {
  const { limit } = query;
  if (query.around) return { ...parsePosition(query.around), before: limit, from: limit };
  if (query.before) return { ...parsePosition(query.before), before: limit, from: 0 };
  if (query.after) {
    const { epoch, n } = parsePosition(query.after);
    return { epoch, n: n + 1, before: 0, from: limit };
  }
  return { epoch: END, n: 0, before: limit, from: 0 };
}

async function readPage(
  database: Database,
  page: { readonly statement: Statement; readonly more: readonly string[] },
  query: { channelId: string; before?: Position; after?: Position; around?: Position; limit: number },
): Promise<{ items: StoredMessage[]; hasBefore: boolean; hasAfter: boolean }> {
  const { epoch, n, before, from } = cutOf(query);
  // One more on each side tells whether there is more.
  const rows = await database.query<PageRow>(page.statement, [
    query.channelId,
    epoch,
    n,
    before + 1,
    from + 1,
    ...page.more,
  ]);
  const older = rows.filter((row) => row.side === 'before');
  const newer = rows.filter((row) => row.side === 'from');
  // Around a place both sides give half of the page, and one gives more where the other has less.
  const half = before > 0 && from > 0 ? Math.ceil(query.limit / 2) : from;
  const takeNewer = Math.min(newer.length, from, Math.max(half, query.limit - older.length));
  const takeOlder = Math.min(older.length, before, query.limit - takeNewer);
  return {
    items: [...older.slice(older.length - takeOlder), ...newer.slice(0, takeNewer)].map(({ message }) =>
      messageOf(message),
    ),
    hasBefore: older.length > takeOlder,
    hasAfter: newer.length > takeNewer,
  };
}
