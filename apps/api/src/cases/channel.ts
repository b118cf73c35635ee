import {
  type Archive,
  archiveChannel,
  type ChangeChannelDeps,
  type CreateDeps,
  createChannel,
  getChannel,
  type InviteDeps,
  inviteToChannel,
  type JoinDeps,
  joinChannel,
  leaveChannel,
  listChannels,
  muteChannel,
  type SummaryDeps,
  updateChannel,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type ChannelCaseDeps = Omit<
  CreateDeps & SummaryDeps & ChangeChannelDeps & JoinDeps & InviteDeps,
  'ids' | 'archive'
> & {
  readonly ids: CreateDeps['ids'] & JoinDeps['ids'];
  readonly archive: CreateDeps['archive'] &
    SummaryDeps['archive'] &
    ChangeChannelDeps['archive'] &
    JoinDeps['archive'] &
    InviteDeps['archive'] &
    Pick<Archive, 'mute' | 'invitations'>;
};

/** The procedures `channel.*`. */
export function channelCases(deps: ChannelCaseDeps) {
  return {
    'channel.create': forCaller(createChannel(deps)),
    'channel.list': forCaller(listChannels(deps)),
    'channel.get': forCaller(getChannel(deps)),
    'channel.update': forCaller(updateChannel(deps)),
    'channel.archive': forCaller(archiveChannel(deps)),
    'channel.mute': forCaller(muteChannel(deps)),
    'channel.join': forCaller(joinChannel(deps)),
    'channel.leave': forCaller(leaveChannel(deps)),
    'channel.invite': forCaller(inviteToChannel(deps)),
    'channel.invitations': (caller) => deps.archive.invitations(caller.userId),
    ...notThereYet('channel.browse', 'channel.stats'),
  } satisfies Partial<Cases>;
}
