import { formatPosition, parsePosition } from '@parley/protocol';
import { isAfter } from './ports/channel-view.ts';
import type { StandingHeader } from './ports/header-register.ts';
import type { HeaderSnapshot } from './ports/ledger.ts';

/** A member for whom log store and Postgres count differently. */
export interface UnreadDifference {
  readonly userId: string;
  readonly standing: number;
  readonly counted: number;
}

/**
 * Members whose unread count in the log store is not what a recount gives. Null when the two cannot be compared: one of them knows of
 * something that the other has not met yet. A member whose cursor differs is on his way, and is left out.
 */
export function compareUnread(standing: StandingHeader, counted: HeaderSnapshot): UnreadDifference[] | null {
  if (standing.epoch !== counted.epoch || standing.headPosition !== (counted.head?.position ?? null)) return null;
  return counted.members.flatMap(({ userId, readTo, unread }) => {
    const member = standing.members.get(userId);
    if (!member || positionIn(member.readTo) !== (readTo?.position ?? null)) return [];
    const read = parsePosition(readTo?.position ?? '0-0');
    const still = unread - counted.deleted.filter((position) => isAfter(position, read)).length;
    return member.unread === still ? [] : [{ userId, standing: member.unread, counted: still }];
  });
}

/** A cursor that never moved stands before the first epoch. */
function positionIn(place: { readonly epoch: number; readonly n: number } | null) {
  return place === null || place.epoch === 0 ? null : formatPosition(place);
}
