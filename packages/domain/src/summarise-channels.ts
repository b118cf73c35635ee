import { type Answer, type ChannelSummary, comparePositions, type Parsed } from '@parley/protocol';
import { channelAsItIs } from './change-channel.ts';
import { parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import { type StoredMessage, shownTo, withState } from './message-state.ts';
import type { Archive, ChannelRow } from './ports/archive.ts';
import { type ChannelView, type ChannelViews, mentionsOf, unreadOf } from './ports/channel-view.ts';
import { roleOf } from './ranks.ts';
import { positionAt } from './read-receipt.ts';
import { notFound } from './settle-operation.ts';
import { orWhenAway } from './view-channel.ts';

export interface SummaryDeps {
  readonly archive: Pick<Archive, 'channelsOf' | 'channel' | 'unread'>;
  readonly views: Pick<ChannelViews, 'views' | 'last' | 'states'>;
}

/** What the log store adds to a row. */
interface Live {
  readonly view: ChannelView | null;
  readonly line: string | null;
}

/**
 * The caller's channels, newest activity first: one statement, and one more only for channels whose header is not loaded. What was
 * accepted and is not persisted yet is counted in.
 */
export function listChannels(deps: SummaryDeps) {
  return async (userId: string, input: Parsed<'channel.list'>): Promise<Answer<'channel.list'>> => {
    const { items, nextCursor } = await deps.archive.channelsOf(userId, {
      cursor: input.cursor ?? null,
      limit: input.limit,
    });
    return { items: await summarise(deps, userId, items), nextCursor };
  };
}

/** One of the caller's channels. */
export function getChannel(deps: SummaryDeps) {
  const find = findChannel(deps);
  return async (userId: string, { channelId }: Parsed<'channel.get'>): Promise<ChannelSummary> => {
    const summary = await find(userId, channelId);
    if (!summary) throw notFound();
    return summary;
  };
}

/** One of the user's channels; null when he is no member. */
export function findChannel(deps: SummaryDeps) {
  return async (userId: string, channelId: string): Promise<ChannelSummary | null> => {
    const row = await deps.archive.channel(channelId, userId);
    const [summary] = row ? await summarise(deps, userId, [row]) : [];
    return summary ?? null;
  };
}

/** Rows of Postgres made current by what the log store knows. A channel that the user has just left is left out. */
export async function summarise(
  deps: SummaryDeps,
  userId: string,
  rows: readonly ChannelRow[],
): Promise<ChannelSummary[]> {
  if (rows.length === 0) return [];
  const live = await liveOf(deps, userId, rows);
  const cold = rows.filter((_, i) => !live[i]?.view).map((row) => row.channel.id);
  const counted = cold.length > 0 ? await deps.archive.unread(userId, cold) : new Map<string, Counts>();
  const drafts = rows.flatMap((row, i): SummaryDraft[] => {
    const { view, line } = live[i] ?? NOTHING;
    const last = newer(row.lastMessage, line === null || !view ? null : lineMessage(line, view));
    if (!view)
      return [{ summary: summaryOf(row, counted.get(row.channel.id) ?? { unread: 0, mentions: 0 }), last, view }];
    return view.rank === null ? [] : [{ summary: freshened(row, view), last, view }];
  });
  return finished(deps, userId, drafts);
}

interface SummaryDraft {
  readonly summary: Omit<ChannelSummary, 'lastMessage'>;
  readonly last: StoredMessage | null;
  readonly view: ChannelView | null;
}

/** What was changed about channels and their last messages and may not be in Postgres yet, in one more look where there is any of it. */
async function finished(
  deps: Pick<SummaryDeps, 'views'>,
  userId: string,
  drafts: readonly SummaryDraft[],
): Promise<ChannelSummary[]> {
  const amended = drafts.filter(({ view }) => view?.amended);
  const asked = amended.map(({ summary: { id }, last }) => ({ channelId: id, ids: last ? [id, last.id] : [id] }));
  const states = await orWhenAway(() => deps.views.states(asked), []);
  return drafts.map((draft) => {
    const { summary, last, view } = draft;
    const [ofChannel = null, ofLast = null] = states[amended.indexOf(draft)] ?? [];
    const lastMessage = last && shownTo(userId, withState(last, ofLast));
    return { ...summary, ...(view && channelAsItIs(summary, view, ofChannel)), lastMessage };
  });
}

const NOTHING: Live = { view: null, line: null };

async function liveOf(deps: SummaryDeps, userId: string, rows: readonly ChannelRow[]): Promise<Live[]> {
  const channelIds = rows.map((row) => row.channel.id);
  return orWhenAway(async () => {
    const [views, lines] = await Promise.all([deps.views.views(userId, channelIds), deps.views.last(channelIds)]);
    return channelIds.map((_, i) => ({ view: views[i] ?? null, line: lines[i] ?? null }));
  }, []);
}

interface Counts {
  readonly unread: number;
  readonly mentions: number;
}

function summaryOf(row: ChannelRow, counts: Counts): Omit<ChannelSummary, 'lastMessage'> {
  return {
    ...row.channel,
    role: row.role,
    head: row.head,
    readTo: row.readTo,
    ...counts,
    members: [...row.members],
    muted: row.muted,
  };
}

function freshened(row: ChannelRow, view: ChannelView): Omit<ChannelSummary, 'lastMessage'> {
  return {
    ...summaryOf(row, { unread: unreadOf(view), mentions: mentionsOf(view) }),
    role: view.rank === null ? row.role : roleOf(view.rank),
    head: view.headPosition ?? row.head,
    readTo: positionAt(view.readTo),
  };
}

function lineMessage(text: string, view: ChannelView): StoredMessage | null {
  const line = parseLine(text);
  if (!line || line.place.epoch !== view.epoch) return null;
  if (view.holes.some((hole) => hole.n === line.place.n)) return null;
  return messageOf(line, line.place.n <= view.persistedN);
}

function newer(stored: StoredMessage | null, live: StoredMessage | null): StoredMessage | null {
  if (!stored || !live) return stored ?? live;
  return comparePositions(live.position, stored.position) > 0 ? live : stored;
}
