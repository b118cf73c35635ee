import type { Answer, ChannelSummary, Parsed } from '@parley/protocol';
import type { Seated, SummaryDeps } from './channel-cards.ts';
import { summarise } from './channel-summaries.ts';
import { Failure } from './failure.ts';
import { writeCursor } from './keyset.ts';
import type { ChannelRow, ChannelRows } from './ports/archive.ts';
import type { ChannelView } from './ports/channel-view.ts';
import type { OwnChannel } from './ports/copies.ts';
import { notFound } from './settle-operation.ts';
import { inOneEpoch, orWhenAway } from './view-channel.ts';

type List = Answer<'channel.list'>;
type RowPage = ChannelRows & { nextCursor: string | null };

/**
 * The caller's channels, newest activity first: one statement, one more only for channels whose header is not loaded, and none for a
 * first page whose set, rows and profiles there are copies of. What was accepted and is not persisted yet is counted in.
 */
export function listChannels(deps: SummaryDeps) {
  const list = async (userId: string, { cursor, limit }: Parsed<'channel.list'>): Promise<List | null> => {
    const read = (from: string | null) => deps.archive.channelsOf(userId, { cursor: from, limit });
    if (cursor !== undefined) return fromRows(deps, userId, await read(cursor));
    const first: { page: RowPage | null } = { page: null };
    const own = await deps.copies.one('sets', userId, async () => {
      first.page = await read(null);
      return { value: first.page.own, keep: first.page.own !== null };
    });
    const warm = first.page || !own ? null : await fromSet(deps, userId, { own, limit });
    return warm ?? fromRows(deps, userId, first.page ?? (await read(null)));
  };
  return (userId: string, input: Parsed<'channel.list'>): Promise<List> => inOneEpoch(() => list(userId, input));
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

/**
 * One of the user's channels; null when he is no member. One statement, none where there are copies. `UNAVAILABLE` while Postgres does
 * not know yet that he is one.
 */
export function findChannel(deps: SummaryDeps) {
  const viewOf = async (userId: string, channelId: string): Promise<ChannelView | null> => {
    const [view = null] = await orWhenAway(() => deps.views.views(userId, [channelId]), []);
    return view;
  };
  const find = async (userId: string, channelId: string): Promise<{ summary: ChannelSummary | null } | null> => {
    const view = await viewOf(userId, channelId);
    if (view?.rank === null) return NOBODY;
    const seat = view ? await seatOf(deps, userId, { channelId, view }) : await coldSeat(deps, userId, channelId);
    const found = seat ? await summarise(deps, userId, [seat]) : [];
    if (!found) return null;
    const [summary] = found;
    if (summary) return { summary };
    // He may have been removed since the first look.
    if (!view || ((await viewOf(userId, channelId))?.rank ?? null) === null) return NOBODY;
    throw new Failure('UNAVAILABLE', 'your membership is not persisted yet', { retryAfterMs: 1_000 });
  };
  return async (userId: string, channelId: string): Promise<ChannelSummary | null> =>
    (await inOneEpoch(() => find(userId, channelId))).summary;
}

const NOBODY = { summary: null };

/** Postgres counts what is unread by the same statement. */
async function coldSeat(deps: SummaryDeps, userId: string, channelId: string): Promise<Seated | null> {
  const row = await rowOf(deps, userId, { channelId, count: true });
  return row && { channelId, view: null, row, muted: row.muted };
}

async function seatOf(
  deps: SummaryDeps,
  userId: string,
  { channelId, view }: { channelId: string; view: ChannelView },
): Promise<Seated | null> {
  const first: { rows: ChannelRows | null } = { rows: null };
  const own = await deps.copies.one('sets', userId, async () => {
    first.rows = await deps.archive.channelsById(userId, { channelIds: [channelId], count: false, withSet: true });
    return { value: first.rows.own, keep: first.rows.own !== null };
  });
  const mine = own?.find(({ id }) => id === channelId);
  // Who is not in his set has only just joined, or is in too many channels.
  const row = first.rows ? first.rows.items[0] : mine ? null : await rowOf(deps, userId, { channelId, count: false });
  if (row === undefined || (row === null && !mine)) return null;
  return { channelId, view, row, muted: row?.muted ?? isMuted(deps, mine) };
}

async function rowOf(
  deps: SummaryDeps,
  userId: string,
  { channelId, count }: { channelId: string; count: boolean },
): Promise<ChannelRow | null> {
  const { items } = await deps.archive.channelsById(userId, { channelIds: [channelId], count, withSet: false });
  return items[0] ?? null;
}

function isMuted({ clock }: SummaryDeps, mine: OwnChannel | undefined): boolean {
  return (mine?.mutedUntil ?? 0) > clock.now();
}

async function fromRows(deps: SummaryDeps, userId: string, { items, nextCursor }: RowPage): Promise<List | null> {
  const channelIds = items.map((row) => row.channel.id);
  const views = await orWhenAway(() => deps.views.views(userId, channelIds), []);
  const seats = items.flatMap((row, i) => {
    const view = views[i] ?? null;
    // A channel that the user has just left is left out.
    return view?.rank === null ? [] : [{ channelId: row.channel.id, view, row, muted: row.muted }];
  });
  const summaries = await summarise(deps, userId, seats);
  return summaries && { items: summaries, nextCursor };
}

/** The first page as the log store orders it. Null: it does not know every channel, so Postgres must. */
async function fromSet(
  deps: SummaryDeps,
  userId: string,
  { own, limit }: { own: readonly OwnChannel[]; limit: number },
): Promise<List | null> {
  const channelIds = own.map(({ id }) => id);
  const views = await orWhenAway(() => deps.views.views(userId, channelIds), null);
  if (!views?.every((view) => view !== null)) return null;
  const seats = own
    .flatMap((mine, i) => {
      const view = views[i];
      if (!view || view.rank === null) return [];
      const at = view.headPosition === null ? mine.createdAt : view.head.at;
      return [{ channelId: mine.id, view, row: null, muted: isMuted(deps, mine), at }];
    })
    .sort((a, b) => b.at - a.at || (a.channelId < b.channelId ? 1 : -1));
  const shown = seats.slice(0, limit);
  const last = shown.at(-1);
  const summaries = await summarise(deps, userId, shown);
  return (
    summaries && {
      items: summaries,
      nextCursor: last && seats.length > limit ? writeCursor({ at: last.at, id: last.channelId }) : null,
    }
  );
}
