import { type ChannelView, type ChannelViews, Failure, type MessageLog, notFound } from '@parley/domain';

export interface ViewDeps {
  readonly views: Pick<ChannelViews, 'views' | 'after'>;
  readonly log: Pick<MessageLog, 'renew' | 'load'>;
}

/** Asks for no user's part of a view: no user has this id. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

const TURNS_MAX = 4;

/** The channel as the log store has it now; its header is loaded if need be. Throws `NOT_FOUND` when there is no such channel. */
export async function viewOf(deps: ViewDeps, channelId: string, userId = NOBODY): Promise<ChannelView> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const [view] = await deps.views.views(userId, [channelId]);
    if (view) return view;
    if (turn > 0) await deps.log.renew();
    if (!(await deps.log.load(channelId))) throw notFound();
  }
  throw new Failure('UNAVAILABLE', 'the channel cannot be opened now', { retryAfterMs: 1_000 });
}
