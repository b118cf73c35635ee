import { ORIGIN, type Place, type Position, parsePosition, RESUME_MAX_ENTRIES } from '@parley/protocol';
import type { ChannelView } from './ports/channel-view.ts';

export type ResyncReason = 'behind' | 'epoch' | 'ahead' | 'retention';

export type Resume =
  /** Nothing lies between: go on from the head. */
  | { readonly type: 'head' }
  /** Read what follows this place. */
  | { readonly type: 'read'; readonly from: Place }
  | { readonly type: 'resync'; readonly reason: ResyncReason };

/** The place of a view's head; n is 0 when its epoch has no entry yet. */
export function headOf(view: Pick<ChannelView, 'epoch' | 'head'>): Place {
  return { epoch: view.epoch, n: view.head.n };
}

/** How a reader that stands at a place of the channel comes to its head. Whether an older epoch's place is known is Postgres' to say. */
export function resumeFrom(from: Place, view: Pick<ChannelView, 'epoch' | 'head'>): Resume {
  if (from.epoch < view.epoch) return { type: 'read', from };
  if (from.epoch > view.epoch || from.n > view.head.n) return { type: 'resync', reason: 'ahead' };
  const behind = view.head.n - from.n;
  if (behind === 0) return { type: 'head' };
  return behind > RESUME_MAX_ENTRIES ? { type: 'resync', reason: 'behind' } : { type: 'read', from };
}

/** The same for a client, which names the position that it saw last, or none. `lastEventId` is a wish, never a right. */
export function resumeClient(
  lastEventId: Position | null,
  view: Pick<ChannelView, 'epoch' | 'head' | 'headPosition' | 'doubtful'>,
): Resume {
  const isAtHead = lastEventId === null || lastEventId === (view.headPosition ?? ORIGIN);
  // Of an older epoch, and Postgres was restored since: it has to say whether this is known.
  const isDoubtful = view.doubtful === true && view.head.n === 0;
  if (lastEventId === null || (isAtHead && !isDoubtful)) return { type: 'head' };
  const from = parsePosition(lastEventId);
  // n 0 is nobody's position but the origin's: Postgres would not know it, so it is unknown.
  if (from.n === 0 && lastEventId !== ORIGIN) return { type: 'resync', reason: 'epoch' };
  return resumeFrom(from, view);
}
