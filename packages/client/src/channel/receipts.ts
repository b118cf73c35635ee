import { comparePositions, type Member, type Position } from '@parley/protocol';

/** Whom a message has reached, its sender left out. Who has read it is among those it was delivered to. */
export interface Receipts {
  readonly deliveredTo: readonly string[];
  readonly readBy: readonly string[];
}

const NOBODY: Receipts = { deliveredTo: [], readBy: [] };

/** The members whose cursors are at or after the message. Nobody while the log has it not. */
export function receiptsOf(
  members: readonly Member[],
  { position, senderId }: { position: Position | null; senderId: string },
): Receipts {
  if (position === null) return NOBODY;
  const others = members.filter((member) => member.userId !== senderId);
  const reached = (cursor: Position | null) => cursor !== null && comparePositions(cursor, position) >= 0;
  const readBy = others.filter((member) => reached(member.readTo));
  const deliveredTo = others.filter((member) => reached(member.deliveredTo) || reached(member.readTo));
  return { deliveredTo: deliveredTo.map(userIdOf), readBy: readBy.map(userIdOf) };
}

function userIdOf({ userId }: Member): string {
  return userId;
}
