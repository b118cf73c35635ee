import { type ChannelView, Failure, type History, notFound } from '@parley/domain';
import type { Place } from '@parley/protocol';
import { type ReadDeps, type Reading, readAfter } from '../hub/read-after.ts';
import { viewOf } from '../hub/view-of.ts';

interface Member {
  readonly channelId: string;
  readonly userId: string;
}

/** The channel as this member sees it. Throws `NOT_FOUND` for a stranger: whether the channel exists is not his to know. */
export async function authorise(deps: ReadDeps, { channelId, userId }: Member): Promise<ChannelView> {
  const view = await viewOf(deps, channelId, userId);
  if (view.rank === null) throw notFound();
  return view;
}

const TURNS_MAX = 6;
const TURN_PAUSE_MS = 25;

export interface AuthorisedReading {
  readonly reading: Exclude<Reading, { type: 'stale' }>;
  /** The copy that authorised the reading: none of Postgres' was newer. */
  readonly view: ChannelView;
}

/**
 * Reads what follows a place for a member. What Postgres answers may be newer than the copy that authorised the question: then the
 * question is asked again with a newer copy, or not at all.
 */
export async function readAuthorised(
  deps: ReadDeps & { readonly clock: { sleep(ms: number): Promise<void> } },
  member: Member,
  { view: first, from }: { view: ChannelView; from: (view: ChannelView) => Place },
): Promise<AuthorisedReading> {
  let view = first;
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const reading = await readAfter(deps, { channelId: member.channelId, from: from(view), view });
    if (reading.type === 'resync') return { reading, view };
    if (reading.type === 'entries' && !isNewer(reading.history, view)) return { reading, view };
    if (turn > 0) await deps.clock.sleep(TURN_PAUSE_MS * turn);
    view = await authorise(deps, member);
  }
  throw new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: 1_000 });
}

/** Versions compare within one epoch only; a reading of another epoch never comes this far. */
function isNewer(history: History | null, view: ChannelView): boolean {
  return history !== null && history.version > view.version;
}

/** Whether the end of a membership at this place came after the copy that authorised: an older one was followed by a new beginning. */
export function endsMembership(place: Place, head: Place): boolean {
  return place.epoch > head.epoch || (place.epoch === head.epoch && place.n > head.n);
}
