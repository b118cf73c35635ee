import {
  type BrowseDeps,
  browseChannels,
  type CreateDeps,
  channelStats,
  createChannel,
  getChannel,
  listChannels,
  type StatsDeps,
  type SummaryDeps,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type ChannelCaseDeps = CreateDeps & SummaryDeps & BrowseDeps & StatsDeps;

/** The procedures `channel.*`. */
export function channelCases(deps: ChannelCaseDeps) {
  return {
    'channel.create': forCaller(createChannel(deps)),
    'channel.list': forCaller(listChannels(deps)),
    'channel.get': forCaller(getChannel(deps)),
    'channel.browse': forCaller(browseChannels(deps)),
    'channel.stats': forCaller(channelStats(deps)),
    ...notThereYet('channel.update', 'channel.archive', 'channel.mute'),
    ...notThereYet('channel.join', 'channel.leave', 'channel.invite', 'channel.invitations'),
  } satisfies Partial<Cases>;
}
