import type { ChannelSets, Copies } from './ports/copies.ts';

/** What depends on which channels somebody is in: his set, and whom he shares a channel with. */
export function channelSets(copies: Pick<Copies, 'changed'>): ChannelSets {
  return {
    changed: async (userIds) => {
      await Promise.all([copies.changed('sets', userIds), copies.changed('contacts', userIds)]);
    },
  };
}
