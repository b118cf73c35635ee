import {
  type ChannelView,
  comparePlaces,
  Failure,
  type FeedEntry,
  laterPlace,
  type ResyncReason,
  resumeFrom,
} from '@parley/domain';
import type { Place } from '@parley/protocol';
import type { Marks } from './marks.ts';
import { type ReadDeps, readAfter } from './read-after.ts';

export interface BridgeQuery {
  readonly channelId: string;
  /** Read after everything in `heard` was published. */
  readonly view: ChannelView;
  /** What was delivered, to all. */
  readonly tip: Place;
  /** The newest entry at or before the tip. */
  readonly last: Place;
  /** The furthest place that a feed of this thread was served, from a window. */
  readonly reached: Place;
  readonly heard: Place;
  readonly marks: Marks;
}

export type Bridge =
  | { readonly type: 'entries'; readonly entries: readonly FeedEntry[]; readonly tip: Place }
  | { readonly type: 'resync'; readonly reason: ResyncReason };

/** What lies between the place delivered last and the head. Throws when that cannot be known now. */
export async function bridge(deps: ReadDeps, query: BridgeQuery): Promise<Bridge> {
  const { view, tip, heard, channelId } = query;
  if (view.epoch < tip.epoch || view.epoch < heard.epoch) throw unsure();
  if (view.epoch > tip.epoch) return bridgeEpochs(deps, query);
  const resume = resumeFrom(tip, view);
  if (resume.type === 'head') return { type: 'entries', entries: [], tip };
  if (resume.type === 'resync') return resume;
  const reading = await readAfter(deps, { channelId, from: tip, view });
  if (reading.type === 'stale') throw unsure();
  return reading;
}

/**
 * An epoch ended: Postgres now has all of it that there will ever be. What was delivered of it and is not there, or was rejected
 * without a word to us, was delivered in vain. So the reading begins at the mark, not at the tip.
 */
async function bridgeEpochs(deps: ReadDeps, query: BridgeQuery): Promise<Bridge> {
  const { channelId, view, tip, last, marks } = query;
  const from = tip.n === 0 ? last : { epoch: tip.epoch, n: Math.min(tip.n, marks.settledIn(tip.epoch)) };
  const reading = await readAfter(deps, { channelId, from, view });
  if (reading.type === 'stale') throw unsure();
  if (reading.type === 'resync') return reading;
  // n 0 is no entry, but the end of what came before, which was read when it was over.
  const stands = (place: Place) =>
    place.n === 0 ||
    comparePlaces(place, from) <= 0 ||
    place.epoch === view.epoch ||
    reading.entries.some((entry) => comparePlaces(entry.place, place) === 0);
  const delivered = laterPlace(tip, query.reached);
  const untold = reading.entries.some(
    (entry) => entry.hole && comparePlaces(entry.place, delivered) <= 0 && !marks.isHole(entry.place),
  );
  // Of an epoch before the tip's, which was over: but two servers took themselves for the log store, and the other one had more.
  const isLate = tip.n === 0 && reading.entries.some((entry) => comparePlaces(entry.place, tip) < 0);
  if (isLate || untold || !stands(tip) || !stands(query.reached)) return { type: 'resync', reason: 'epoch' };
  return {
    type: 'entries',
    entries: reading.entries.filter((entry) => comparePlaces(entry.place, tip) > 0),
    tip: laterPlace(tip, reading.tip),
  };
}

function unsure(): Failure {
  return new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: 1_000 });
}
