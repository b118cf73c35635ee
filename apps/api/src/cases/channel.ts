import { type CreateDeps, createChannel, getChannel, listChannels, type SummaryDeps } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type ChannelCaseDeps = CreateDeps & SummaryDeps;

/** The procedures `channel.*`. */
export function channelCases(deps: ChannelCaseDeps) {
  return {
    'channel.create': forCaller(createChannel(deps)),
    'channel.list': forCaller(listChannels(deps)),
    'channel.get': forCaller(getChannel(deps)),
    ...notThereYet('channel.browse', 'channel.stats'),
    ...notThereYet('channel.update', 'channel.archive', 'channel.mute'),
    ...notThereYet('channel.join', 'channel.leave', 'channel.invite', 'channel.invitations'),
  } satisfies Partial<Cases>;
}
