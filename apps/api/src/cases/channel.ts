import {
  type Archive,
  archiveChannel,
  type BrowseDeps,
  browseChannels,
  type ChangeChannelDeps,
  type CreateDeps,
  channelStats,
  createChannel,
  getChannel,
  type InviteDeps,
  inviteToChannel,
  type JoinDeps,
  joinChannel,
  leaveChannel,
  listChannels,
  muteChannel,
  type Presences,
  type StatsDeps,
  type SummaryDeps,
  updateChannel,
  withPresence,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type ChannelCaseDeps = Omit<
  CreateDeps & SummaryDeps & BrowseDeps & StatsDeps & ChangeChannelDeps & JoinDeps & InviteDeps,
  'ids' | 'archive'
> & {
  readonly ids: CreateDeps['ids'] & JoinDeps['ids'];
  readonly archive: CreateDeps['archive'] &
    SummaryDeps['archive'] &
    BrowseDeps['archive'] &
    StatsDeps['archive'] &
    ChangeChannelDeps['archive'] &
    JoinDeps['archive'] &
    InviteDeps['archive'] &
    Pick<Archive, 'mute' | 'invitations'>;
  readonly presences: Presences;
};

/** The procedures `channel.*`. */
export function channelCases(deps: ChannelCaseDeps) {
  const [list, get, live] = [listChannels(deps), getChannel(deps), withPresence(deps.presences)];
  return {
    'channel.create': forCaller(createChannel(deps)),
    'channel.list': async ({ userId }, input) => {
      const { items, nextCursor } = await list(userId, input);
      return { items: await live.summaries(items), nextCursor };
    },
    'channel.get': async ({ userId }, input) => {
      const summary = await get(userId, input);
      return (await live.summaries([summary]))[0] ?? summary;
    },
    'channel.update': forCaller(updateChannel(deps)),
    'channel.archive': forCaller(archiveChannel(deps)),
    'channel.mute': forCaller(muteChannel(deps)),
    'channel.join': forCaller(joinChannel(deps)),
    'channel.leave': forCaller(leaveChannel(deps)),
    'channel.invite': forCaller(inviteToChannel(deps)),
    'channel.invitations': (caller) => deps.archive.invitations(caller.userId),
    'channel.browse': forCaller(browseChannels(deps)),
    'channel.stats': forCaller(channelStats(deps)),
  } satisfies Partial<Cases>;
}
