import { type Answer, formatPosition, type Parsed, type Position } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { LogPlace } from './log-line.ts';
import type { Archive } from './ports/archive.ts';
import { type ChannelViews, type ReadCursor, type ReadVerdict, unreadOf } from './ports/channel-view.ts';
import type { MessageLog } from './ports/message-log.ts';
import { notFound } from './settle-operation.ts';

export interface ReadDeps {
  readonly views: Pick<ChannelViews, 'read' | 'delivered'>;
  readonly archive: Pick<Archive, 'countAfter'>;
  readonly log: Pick<MessageLog, 'renew' | 'load'>;
}

const TURNS_MAX = 6;

/** Moves the caller's read cursor up, never down, and says where it stands and how many messages are after it. */
export function readReceipt(deps: ReadDeps) {
  return moveCursor(deps, (cursor) => deps.views.read(cursor));
}

/** Moves the caller's delivered cursor up, never down: what he has read was delivered, too. */
export function deliveredReceipt(deps: ReadDeps) {
  return moveCursor(deps, ({ channelId, userId, position }) => deps.views.delivered({ channelId, userId, position }));
}

function moveCursor(deps: ReadDeps, move: (cursor: ReadCursor) => Promise<ReadVerdict>) {
  return async (userId: string, input: Parsed<'receipt.read'>): Promise<Answer<'receipt.read'>> => {
    let cursor: ReadCursor = { ...input, userId };
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const verdict = await move(cursor);
      switch (verdict.type) {
        case 'at':
          return { readTo: positionAt(verdict.view.readTo), unread: unreadOf(verdict.view) };
        case 'count': {
          const { upTo } = verdict;
          const messages = await deps.archive.countAfter(input.channelId, input.position, formatPosition(upTo));
          cursor = { ...cursor, counted: { upTo, messages } };
          break;
        }
        case 'epoch':
          await deps.log.renew();
          break;
        case 'missing':
          if (!(await deps.log.load(input.channelId))) throw notFound();
          break;
        case 'stranger':
          throw notFound();
        case 'ahead':
          throw new Failure('INVALID', 'the position is beyond the newest entry');
      }
    }
    throw new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: 1_000 });
  };
}

/** The position of a cursor; null when it stands before everything. */
export function positionAt(place: LogPlace | null): Position | null {
  return place && place.n > 0 ? formatPosition(place) : null;
}
