import {
  type ChannelView,
  comparePlaces,
  entriesFromHistory,
  entryFromLine,
  type FeedEntry,
  type History,
  headOf,
  hushDeleted,
  type LogLine,
  mergeEntries,
  parseLine,
  type ResyncReason,
  silentEntry,
  tipAfter,
  windowReaches,
} from '@parley/domain';
import { formatPosition, type Place } from '@parley/protocol';
import type { RecentHistories } from './recent-histories.ts';
import type { ViewDeps } from './view-of.ts';

export interface ReadDeps extends ViewDeps {
  readonly histories: RecentHistories;
  readonly logger: { warn(detail: object, text: string): void };
}

export interface ReadQuery {
  readonly channelId: string;
  readonly from: Place;
  /** Read before this call, never after: its head is what the reading must reach. */
  readonly view: ChannelView;
}

export type Reading =
  | {
      readonly type: 'entries';
      /** Directly after the place asked for, in order, none missing. There may be more after them. */
      readonly entries: readonly FeedEntry[];
      /** Where the reader stands after them. */
      readonly tip: Place;
      /** What Postgres was asked, if it was. */
      readonly history: History | null;
    }
  /** The view is not of the epoch that was found: look again. */
  | { readonly type: 'stale' }
  | { readonly type: 'resync'; readonly reason: ResyncReason };

/** Lines of one look into a window. */
const STRETCH_ENTRIES = 256;

/** An entry from its line. One that cannot be read takes its position silently, for those behind it must not wait for ever. */
export function readEntry(
  deps: Pick<ReadDeps, 'logger'>,
  line: LogLine,
  view: Pick<ChannelView, 'epoch' | 'persistedN' | 'holes'>,
): FeedEntry {
  try {
    return entryFromLine(line, view);
  } catch (error) {
    deps.logger.warn({ err: error, position: formatPosition(line.place), kind: line.kind }, 'an entry cannot be read');
    return silentEntry(line);
  }
}

/**
 * What follows a place: the window first and Postgres after it, never the other way round, for between the two reads a worker may
 * commit and trim.
 */
export async function readAfter(deps: ReadDeps, query: ReadQuery): Promise<Reading> {
  const { channelId, from, view } = query;
  const texts = await deps.views.after(channelId, formatPosition(from), STRETCH_ENTRIES);
  const lines = texts.map(parseLine).filter((line) => line !== null);
  if (lines.some((line) => line.place.epoch > view.epoch)) return { type: 'stale' };
  const window = lines
    .filter((line) => line.place.epoch === view.epoch && comparePlaces(line.place, from) > 0)
    .map((line) => readEntry(deps, line, view));
  const cut = texts.length >= STRETCH_ENTRIES;
  if (windowReaches(from, view, window)) return conclude(query, { window, history: null, cut });
  const after = formatPosition(from);
  const { history, isFresh } = await deps.histories.read(channelId, after, view.epoch);
  const reading = fromHistory(query, { window, history, cut });
  if (isFresh || reading.type === 'entries') return reading;
  // Others have asked a moment ago: what was committed and trimmed since is in neither.
  const anew = await deps.histories.readAnew(channelId, after, view.epoch);
  return fromHistory(query, { window, history: anew.history, cut });
}

interface Found {
  readonly window: readonly FeedEntry[];
  readonly history: History | null;
  /** The window has more lines than were asked for. */
  readonly cut: boolean;
}

function fromHistory(query: ReadQuery, found: Found & { readonly history: History }): Reading {
  const { from, view } = query;
  const { history } = found;
  if (history.epoch !== view.epoch) return { type: 'stale' };
  if (history.expired) return { type: 'resync', reason: 'retention' };
  // n 0 is no entry: it is where a reader stands that has nothing of an epoch yet.
  if (!history.known && from.n > 0) return { type: 'resync', reason: 'epoch' };
  if (history.more) return { type: 'resync', reason: 'behind' };
  return conclude(query, found);
}

function conclude({ channelId, from, view }: ReadQuery, { window, history, cut }: Found): Reading {
  const stored = history ? entriesFromHistory(channelId, history) : [];
  const entries = mergeEntries(from, view.epoch, { window, stored });
  if (!entries) return { type: 'resync', reason: 'retention' };
  const tip = tipAfter(from, view.epoch, entries);
  if (!cut && comparePlaces(tip, headOf(view)) < 0) return { type: 'resync', reason: 'retention' };
  return { type: 'entries', entries: hushDeleted(entries), tip, history };
}
