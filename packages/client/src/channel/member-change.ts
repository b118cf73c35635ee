import { type ChannelEvent, comparePositions, type Member, type Position } from '@parley/protocol';

type Cursors = Pick<Member, 'deliveredTo' | 'readTo'>;

/** The members once this event has happened: the same array when it changes none. Members who are not in the list stay out of it. */
export function membersAfter(members: readonly Member[], event: ChannelEvent): readonly Member[] {
  switch (event.type) {
    case 'member.joined': {
      const { member } = event;
      const isKnown = members.some(({ userId }) => userId === member.userId);
      return isKnown ? replaced(members, member.userId, withRole(member)) : [...members, member];
    }
    case 'member.updated':
      return replaced(members, event.member.userId, withRole(event.member));
    case 'member.left':
      return members.some(({ userId }) => userId === event.userId)
        ? members.filter(({ userId }) => userId !== event.userId)
        : members;
    case 'receipt.updated':
      return replaced(members, event.userId, (member) => risen(member, event));
    case 'message.created': {
      // A send reads up to itself.
      const { senderId, position } = event.message;
      return replaced(members, senderId, (member) => risen(member, { deliveredTo: position, readTo: position }));
    }
    default:
      return members;
  }
}

/** The member with whichever cursor is further, the known or the told one: they never go back. */
export function risen(member: Member, told: Cursors): Member {
  const deliveredTo = later(member.deliveredTo, told.deliveredTo);
  const readTo = later(member.readTo, told.readTo);
  if (deliveredTo === member.deliveredTo && readTo === member.readTo) return member;
  return { ...member, deliveredTo, readTo };
}

function withRole({ role }: Member) {
  // The event knows of cursors only where somebody joins, and of his user little more than the name.
  return (member: Member): Member => (member.role === role ? member : { ...member, role });
}

function replaced(members: readonly Member[], userId: string, change: (member: Member) => Member): readonly Member[] {
  const at = members.findIndex((member) => member.userId === userId);
  const member = members[at];
  if (!member) return members;
  const changed = change(member);
  return changed === member ? members : members.with(at, changed);
}

function later(a: Position | null, b: Position | null): Position | null {
  if (!a || !b) return a ?? b;
  return comparePositions(a, b) < 0 ? b : a;
}
