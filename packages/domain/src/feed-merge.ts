import type { Place } from '@parley/protocol';
import type { FeedEntry } from './feed-entry.ts';
import { withoutWords } from './message-state.ts';
import type { ChannelView } from './ports/channel-view.ts';
import { comparePlaces, follows } from './sequence.ts';

type Head = Pick<ChannelView, 'epoch' | 'head'>;

/**
 * Whether the window alone tells everything after a place: only inside the current epoch, and only when it reaches back. A store that
 * took over may have lost the end of an older epoch, which Postgres has.
 */
export function windowReaches(from: Place, view: Head, window: readonly FeedEntry[]): boolean {
  if (from.epoch !== view.epoch) return false;
  const first = window[0];
  return first ? follows(from, first.place) : from.n >= view.head.n;
}

/**
 * One order out of what the window and Postgres have after `from`. Postgres wins where both speak: it knows what was rejected. Of the
 * window only the current epoch counts: what an older one left in it and Postgres does not have is lost. Null when something between
 * is missing from both.
 */
export function mergeEntries(
  from: Place,
  epoch: number,
  parts: { window: readonly FeedEntry[]; stored: readonly FeedEntry[] },
): FeedEntry[] | null {
  const byPlace = new Map<string, FeedEntry>();
  for (const entry of parts.window) if (entry.place.epoch === epoch) byPlace.set(entry.id, entry);
  for (const entry of parts.stored) byPlace.set(entry.id, entry);
  const merged = [...byPlace.values()]
    .filter((entry) => comparePlaces(entry.place, from) > 0)
    .sort((a, b) => comparePlaces(a.place, b.place));
  let before = from;
  for (const entry of merged) {
    if (!follows(before, entry.place)) return null;
    before = entry.place;
  }
  return merged;
}

/** Where a reader stands after these entries: n 0 when the current epoch has none, for then all older ones are told to their end. */
export function tipAfter(from: Place, epoch: number, entries: readonly FeedEntry[]): Place {
  const last = entries.at(-1)?.place ?? from;
  return last.epoch < epoch ? { epoch, n: 0 } : last;
}

/** The same entries without the words of messages that a later one of them deletes: nobody who was away is shown what was taken back. */
export function hushDeleted(entries: readonly FeedEntry[]): FeedEntry[] {
  const deleted = new Map<string, number>();
  for (const { event } of entries) if (event?.type === 'message.deleted') deleted.set(event.messageId, event.deletedAt);
  if (deleted.size === 0) return [...entries];
  return entries.map((entry) => {
    const { event } = entry;
    if (event?.type !== 'message.created' && event?.type !== 'message.updated') return entry;
    const deletedAt = deleted.get(event.message.id);
    if (deletedAt === undefined) return entry;
    const { reactors: _, ...message } = withoutWords({ ...event.message, reactors: {} }, deletedAt);
    return { ...entry, event: { ...event, message }, reactors: null };
  });
}
