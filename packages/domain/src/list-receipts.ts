import { type Answer, type Parsed, parsePosition } from '@parley/protocol';
import { type FindDeps, findMessage, noSuchMessage } from './find-message.ts';
import type { LogPlace } from './log-line.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews } from './ports/channel-view.ts';
import { comparePlaces } from './sequence.ts';
import { orWhenAway, viewChannel } from './view-channel.ts';

export interface ListReceiptsDeps extends FindDeps {
  readonly views: FindDeps['views'] & Pick<ChannelViews, 'allCursors'>;
  readonly archive: FindDeps['archive'] & Pick<Archive, 'receipts'>;
}

/** A header of more members is too much for one answer of the log store: then Postgres tells, some seconds behind. */
const HEADER_MEMBERS_MAX = 500;

/** Whom a message has reached and who has read it, from the members' cursors and the times at which they moved last. */
export function listReceipts(deps: ListReceiptsDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'receipt.list'>): Promise<Answer<'receipt.list'>> => {
    const { channelId } = input;
    const seen = await view(channelId, userId);
    const message = await findMessage(deps, seen, input);
    if (!message) throw noSuchMessage();
    const isSmall = seen !== null && seen.memberCount <= HEADER_MEMBERS_MAX;
    const cursors = isSmall ? await orWhenAway(() => deps.views.allCursors(channelId), null) : null;
    if (!cursors) return deps.archive.receipts(channelId, message.position, message.senderId);
    const place = parsePosition(message.position);
    const timeOf = (cursor: LogPlace | null) => (cursor && comparePlaces(cursor, place) >= 0 ? cursor.at : null);
    return cursors
      .filter((cursor) => cursor.userId !== message.senderId)
      .map((cursor) => ({
        userId: cursor.userId,
        deliveredAt: timeOf(cursor.deliveredTo),
        readAt: timeOf(cursor.readTo),
      }))
      .filter(({ deliveredAt, readAt }) => deliveredAt !== null || readAt !== null);
  };
}
