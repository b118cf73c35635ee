import type { ChannelSummary } from '@parley/protocol';
import { channelAsItIs } from './change-channel.ts';
import { type Dealt, dealCards, keepRows, newer, type Seated, type SummaryDeps, type Warm } from './channel-cards.ts';
import { type CreatedPayload, parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import { type StoredMessage, shownTo, withState } from './message-state.ts';
import type { ChannelRow, Counts } from './ports/archive.ts';
import { type ChannelView, mentionsOf, type StatesAsked, unreadOf } from './ports/channel-view.ts';
import { RANKS, roleOf } from './ranks.ts';
import { positionAt } from './read-receipt.ts';
import { orWhenAway } from './view-channel.ts';

/** A summary but for what was changed about the channel and its last message and may not be in Postgres yet. */
interface Draft {
  readonly summary: Omit<ChannelSummary, 'lastMessage'>;
  readonly last: StoredMessage | null;
  readonly view: ChannelView | null;
}

/**
 * What is known made whole, in the order given: rows of Postgres are made current by what the log store knows; where there is no row,
 * copies stand for it. At most one statement for rows, and one for profiles. A channel that Postgres does not know is left out. Null: the
 * epoch of a seat's view is over.
 */
export async function summarise(
  deps: SummaryDeps,
  userId: string,
  seats: readonly Seated[],
): Promise<ChannelSummary[] | null> {
  if (seats.length === 0) return [];
  const lines = await orWhenAway(() => deps.views.last(seats.map((seat) => seat.channelId)), []);
  const warm = seats.flatMap((seat, i): Warm[] => {
    const { view } = seat;
    return view ? [{ ...seat, view, ...newestOf(lines[i] ?? null, view) }] : [];
  });
  const counted = await countsOfCold(deps, userId, seats);
  const { dealt, rows } = await dealCards(deps, userId, warm);
  await keepRows(deps, warm);
  const known = new Map(warm.map((seat) => [seat.channelId, seat]));
  const drafts = seats.flatMap((seat): Draft[] => {
    const { channelId } = seat;
    const live = known.get(channelId);
    const row = seat.row ?? rows.get(channelId);
    if (row) return [live ? freshened(row, live) : ofRow(row, row.counts ?? counted.get(channelId) ?? NONE)];
    const hand = dealt.get(channelId);
    return hand && live ? [ofCard(hand, live)] : [];
  });
  return finished(deps, userId, drafts);
}

const NONE: Counts = { unread: 0, mentions: 0 };

async function countsOfCold(deps: SummaryDeps, userId: string, seats: readonly Seated[]): Promise<Map<string, Counts>> {
  const cold = seats.filter(({ view, row }) => !view && row?.counts === null).map((seat) => seat.channelId);
  return cold.length > 0 ? deps.archive.unread(userId, cold) : new Map();
}

/** One more look at the log store, where anything was changed that Postgres may not have. */
async function finished(
  deps: Pick<SummaryDeps, 'views'>,
  userId: string,
  drafts: readonly Draft[],
): Promise<ChannelSummary[] | null> {
  const amended = drafts.filter(({ view }) => view?.amended);
  const asked = amended.flatMap(({ summary: { id }, last, view }): StatesAsked[] =>
    view ? [{ channelId: id, since: view.head, ids: last ? [id, last.id] : [id] }] : [],
  );
  const states = await orWhenAway(() => deps.views.states(asked), []);
  if (states.some((ofChannel) => ofChannel === null)) return null;
  return drafts.map((draft) => {
    const { summary, last, view } = draft;
    const [ofChannel = null, ofLast = null] = states[amended.indexOf(draft)] ?? [];
    const lastMessage = last && shownTo(userId, withState(last, ofLast));
    return { ...summary, ...(view && channelAsItIs(summary, view, ofChannel)), lastMessage };
  });
}

/** The newest message of the window, where it is of this epoch and came to be, and whether it says all there is to say. */
function newestOf(text: string | null, view: ChannelView): Pick<Warm, 'live' | 'told'> {
  const line = text === null ? null : parseLine(text);
  const stands =
    line && line.place.epoch === view.epoch && !view.holes.some((hole) => hole.n === line.place.n) ? line : null;
  const live = stands && messageOf(stands, stands.place.n <= view.persistedN);
  if (!live || !stands) return { live: null, told: false };
  // A line names attachments, and Postgres describes them.
  const { attachmentIds } = JSON.parse(stands.json) as CreatedPayload;
  return { live, told: attachmentIds.length === live.attachments.length };
}

function ofRow(row: ChannelRow, counts: Counts): Draft {
  const { channel, role, head, readTo, muted, lastMessage, members } = row;
  return {
    summary: { ...channel, role, head, readTo, ...counts, members: [...members], muted },
    last: lastMessage,
    view: null,
  };
}

function freshened(row: ChannelRow, { view, live }: Warm): Draft {
  const { summary, last } = ofRow(row, NONE);
  return {
    summary: { ...summary, ...ofView(view), head: view.headPosition ?? row.head },
    last: newer(last, live),
    view,
  };
}

function ofCard({ card, members, lastMessage }: Dealt, { view, muted }: Warm): Draft {
  return { summary: { ...card.channel, ...ofView(view), members: [...members], muted }, last: lastMessage, view };
}

/** What the log store alone says. */
function ofView(view: ChannelView) {
  return {
    role: roleOf(view.rank ?? RANKS.guest),
    head: view.headPosition,
    readTo: positionAt(view.readTo),
    unread: unreadOf(view),
    mentions: mentionsOf(view),
  };
}
