import {
  type CreateDeps,
  createChannel,
  getChannel,
  listChannels,
  type Presences,
  type SummaryDeps,
  withPresence,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type ChannelCaseDeps = CreateDeps & SummaryDeps & { readonly presences: Presences };

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
    ...notThereYet('channel.browse', 'channel.stats'),
    ...notThereYet('channel.update', 'channel.archive', 'channel.mute'),
    ...notThereYet('channel.join', 'channel.leave', 'channel.invite', 'channel.invitations'),
  } satisfies Partial<Cases>;
}
