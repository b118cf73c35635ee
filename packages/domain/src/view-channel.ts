import { Failure } from './failure.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelView, ChannelViews } from './ports/channel-view.ts';
import type { MessageLog } from './ports/message-log.ts';
import { notFound } from './settle-operation.ts';

export interface ViewDeps {
  readonly views: Pick<ChannelViews, 'views'>;
  readonly log: Pick<MessageLog, 'renew' | 'load'>;
  readonly archive: Pick<Archive, 'channel'>;
}

export type MemberView = ChannelView & { readonly rank: number };

const TURNS_MAX = 4;

/**
 * A channel as one of its members sees it. Null: he is a member by Postgres' word, and the log store is away. Throws `NOT_FOUND` for
 * a stranger.
 */
export function viewChannel(deps: ViewDeps) {
  return async (channelId: string, userId: string): Promise<MemberView | null> => {
    const view = await orWhenAway(() => loadedView(deps, { channelId, userId }), null);
    if (view) return asMember(view);
    if (!(await deps.archive.channel(channelId, userId))) throw notFound();
    return null;
  };
}

/** The channel as the log store has it now; its header is loaded if need be. Throws `NOT_FOUND` when there is no such channel. */
export async function loadedView(
  deps: Pick<ViewDeps, 'views' | 'log'>,
  { channelId, userId }: { channelId: string; userId: string },
): Promise<ChannelView> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const [view] = await deps.views.views(userId, [channelId]);
    if (view) return view;
    if (turn > 0) await deps.log.renew();
    if (!(await deps.log.load(channelId))) throw notFound();
  }
  throw new Failure('UNAVAILABLE', 'the channel cannot be opened now', { retryAfterMs: 1_000 });
}

/** What `read` finds; again from the beginning where it says with null that the epoch has changed under it. */
export async function inOneEpoch<T>(read: () => Promise<T | null>): Promise<T> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const found = await read();
    if (found !== null) return found;
  }
  throw new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: 1_000 });
}

function asMember(view: ChannelView): MemberView {
  if (view.rank === null) throw notFound();
  return { ...view, rank: view.rank };
}

/** The result of `work`, or `instead` when its store is away. What a store says on purpose is passed on. */
export async function orWhenAway<T, U>(work: () => Promise<T>, instead: U): Promise<T | U> {
  try {
    return await work();
  } catch (error) {
    if (isAway(error)) return instead;
    throw error;
  }
}

/** Whether an adapter says that its store does not answer. */
export function isAway(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'UNAVAILABLE' || error.code === 'UNKNOWN_RETRY');
}
