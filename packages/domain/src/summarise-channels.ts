import { type Answer, type ChannelSummary, comparePositions, type Message, type Parsed } from '@parley/protocol';
import { parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import type { Archive, ChannelRow } from './ports/archive.ts';
import { type ChannelView, type ChannelViews, unreadOf } from './ports/channel-view.ts';
import { roleOf } from './ranks.ts';
import { positionAt } from './read-receipt.ts';
import { notFound } from './settle-operation.ts';
import { orWhenAway } from './view-channel.ts';

export interface SummaryDeps {
  readonly archive: Pick<Archive, 'channelsOf' | 'channel' | 'unread'>;
  readonly views: Pick<ChannelViews, 'views' | 'last'>;
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
  const counted = cold.length > 0 ? await deps.archive.unread(userId, cold) : new Map<string, number>();
  return rows.flatMap((row, i) => {
    const { view, line } = live[i] ?? NOTHING;
    if (!view) return [summaryOf(row, counted.get(row.channel.id) ?? 0)];
    return view.rank === null ? [] : [freshened(row, view, line)];
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

function freshened(row: ChannelRow, view: ChannelView, line: string | null): ChannelSummary {
  return {
    ...summaryOf(row, unreadOf(view)),
    role: view.rank === null ? row.role : roleOf(view.rank),
    head: view.headPosition ?? row.head,
    readTo: positionAt(view.readTo),
    lastMessage: newer(row.lastMessage, line === null ? null : lineMessage(line, view)),
  };
}

function lineMessage(text: string, view: ChannelView): Message | null {
  const line = parseLine(text);
  if (!line || line.place.epoch !== view.epoch) return null;
  if (view.holes.some((hole) => hole.n === line.place.n)) return null;
  return messageOf(line, line.place.n <= view.persistedN);
}

function newer(stored: Message | null, live: Message | null): Message | null {
  if (!stored || !live) return stored ?? live;
  return comparePositions(live.position, stored.position) > 0 ? live : stored;
}
