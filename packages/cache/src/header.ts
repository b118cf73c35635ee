import { type ChannelView, type Cursors, type LogPlace, laterPlace, parsePlace } from '@parley/domain';
import { formatPosition, type Position, parsePosition } from '@parley/protocol';

/** The fields of a header that make one user's view, in the order that `parseView` takes. */
export function viewFields(userId: string): string[] {
  return ['s', 'b', 'v', 'p', 'x', 'c', 'a', 'w', 'y', userId, `r:${userId}`, `d:${userId}`, `@:${userId}`, 'g'];
}

/** A place, or null for what is missing. Throws when a text is there that is none: a header is never half understood. */
export function placeOf(text: unknown): LogPlace | null {
  if (typeof text !== 'string') return null;
  const place = parsePlace(text);
  if (!place) throw new Error(`not a place: ${text}`);
  return place;
}

/** What a channel looks like to one user; null when there is no header, or one of another epoch. */
export function parseView(values: unknown, epoch: number): ChannelView | null {
  const [s, b, v, p, x, c, a, w, y, member, read, delivered, mentions, g] = values as (string | null)[];
  const head = placeOf(s);
  if (head?.epoch !== epoch) return null;
  return {
    epoch,
    head,
    headPosition: head.n > 0 ? formatPosition(head) : positionOf(b),
    base: positionOf(b),
    ...(g && { doubtful: true as const }),
    persistedN: Number.parseInt(p ?? '0', 10),
    holes: x ? x.split(' ').map(holeOf) : [],
    version: Number(v),
    memberCount: Number(c),
    archivedAt: a ? Number(a) : null,
    amended: Boolean(w),
    deleted: positionsOf(y),
    mentions: positionsOf(mentions),
    rank: member ? Number(member[0]) : null,
    ...cursorsOf(read, delivered),
  };
}

/** How far a member is, from his fields `r:` and `d:`. What is read is delivered, too: a send moves `r:` alone. */
export function cursorsOf(read: unknown, delivered: unknown): Cursors {
  const [readTo, own] = [placeOf(read), placeOf(delivered)];
  return { readTo, deliveredTo: own && readTo ? laterPlace(own, readTo) : (own ?? readTo) };
}

function positionOf(text: string | null | undefined): Position | null {
  return text ? formatPosition(parsePosition(text)) : null;
}

function positionsOf(text: string | null | undefined): Position[] {
  return text ? text.split(' ').map((position) => formatPosition(parsePosition(position))) : [];
}

function holeOf(text: string): { n: number; m: number } {
  const [n, m] = text.split(':');
  return { n: Number(n), m: Number(m) };
}

/** The fields and values of a header that one member has: `r:` and `d:` say how far he read, in the header's own m. */
export function memberFields(member: {
  readonly userId: string;
  readonly rank: number;
  readonly silencedUntilMs: number;
  readonly read: string;
  readonly delivered: string;
  readonly mentions: readonly Position[];
}): string[] {
  const { userId, rank, silencedUntilMs, mentions } = member;
  const standing = silencedUntilMs > 0 ? `${rank}${silencedUntilMs}` : String(rank);
  const fields = [userId, standing, `r:${userId}`, member.read, `d:${userId}`, member.delivered];
  return mentions.length > 0 ? [...fields, `@:${userId}`, mentions.join(' ')] : fields;
}
