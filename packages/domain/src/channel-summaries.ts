import type { ChannelSummary } from '@parley/protocol';
import { type Dealt, dealCards, keepRows, newer, type Seated, type SummaryDeps, type Warm } from './channel-cards.ts';
import { type CreatedPayload, parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import type { ChannelRow } from './ports/archive.ts';
import { type ChannelView, unreadOf } from './ports/channel-view.ts';
import { RANKS, roleOf } from './ranks.ts';
import { positionAt } from './read-receipt.ts';
import { orWhenAway } from './view-channel.ts';

/**
 * What is known made whole, in the order given: rows of Postgres are made current by what the log store knows; where there is no row,
 * copies stand for it. At most one statement for rows, and one for profiles. A channel that Postgres does not know is left out.
 */
export async function summarise(
  deps: SummaryDeps,
  userId: string,
  seats: readonly Seated[],
): Promise<ChannelSummary[]> {
  const lines = await orWhenAway(() => deps.views.last(seats.map((seat) => seat.channelId)), []);
  const warm = seats.flatMap((seat, i): Warm[] => {
    const { view } = seat;
    return view ? [{ ...seat, view, ...newestOf(lines[i] ?? null, view) }] : [];
  });
  const unread = await unreadOfCold(deps, userId, seats);
  const { dealt, rows } = await dealCards(deps, userId, warm);
  await keepRows(deps, userId, warm);
  const known = new Map(warm.map((seat) => [seat.channelId, seat]));
  return seats.flatMap((seat) => {
    const { channelId } = seat;
    const live = known.get(channelId);
    const row = seat.row ?? rows.get(channelId);
    if (row) return [live ? freshened(row, live) : summaryOf(row, row.unread ?? unread.get(channelId) ?? 0)];
    const hand = dealt.get(channelId);
    return hand && live ? [summaryOfCard(hand, live)] : [];
  });
}

async function unreadOfCold(deps: SummaryDeps, userId: string, seats: readonly Seated[]): Promise<Map<string, number>> {
  const cold = seats.filter(({ view, row }) => !view && row?.unread === null).map((seat) => seat.channelId);
  return cold.length > 0 ? deps.archive.unread(userId, cold) : new Map();
}

/** The newest entry of the window, when it is a message of this epoch that came to be, and whether it says all there is to say. */
function newestOf(text: string | null, view: ChannelView): Pick<Warm, 'live' | 'told'> {
  const line = text === null ? null : parseLine(text);
  const stands =
    line && line.place.epoch === view.epoch && !view.holes.some((hole) => hole.n === line.place.n) ? line : null;
  const live = stands && messageOf(stands, stands.place.n <= view.persistedN);
  if (!live || !stands) return { live: null, told: false };
  // A line names attachments, and Postgres describes them.
  const { attachmentIds } = JSON.parse(stands.json) as CreatedPayload;
  return { live, told: stands.place.n >= view.head.n && attachmentIds.length === live.attachments.length };
}

function summaryOf(row: ChannelRow, unread: number): ChannelSummary {
  return {
    ...row.channel,
    role: row.role,
    head: row.head,
    readTo: row.readTo,
    unread,
    mentions: 0,
    lastMessage: row.lastMessage,
    members: [...row.members],
    muted: row.muted,
  };
}

function freshened(row: ChannelRow, { view, live }: Warm): ChannelSummary {
  return {
    ...summaryOf(row, unreadOf(view)),
    role: view.rank === null ? row.role : roleOf(view.rank),
    head: view.headPosition ?? row.head,
    readTo: positionAt(view.readTo),
    lastMessage: newer(row.lastMessage, live),
  };
}

function summaryOfCard({ card, members, lastMessage }: Dealt, { view, muted }: Warm): ChannelSummary {
  return {
    ...card.channel,
    role: roleOf(view.rank ?? RANKS.guest),
    head: view.headPosition,
    readTo: positionAt(view.readTo),
    unread: unreadOf(view),
    mentions: 0,
    lastMessage,
    members: [...members],
    muted,
  };
}
