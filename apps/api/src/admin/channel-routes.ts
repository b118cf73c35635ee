import type { AdminStore } from '@parley/domain';
import { found, idIn, pageOf, type Route } from './routes.ts';

/** What the routes about channels stand on. */
export interface ChannelRouteDeps {
  readonly store: Pick<AdminStore, 'channel' | 'channels'>;
  /** False when there never was such a channel. */
  readonly deleteChannel: (channelId: string) => Promise<boolean>;
  readonly wakeChores: () => void;
}

/** `/v1/channels`: find, delete. */
export function channelRoutes({ store, deleteChannel, wakeChores }: ChannelRouteDeps): Route[] {
  const path = '/v1/channels/:channelId';
  return [
    {
      method: 'GET',
      path: '/v1/channels',
      action: 'channel.list',
      work: async (call) => ({ status: 200, value: await store.channels(pageOf(call)) }),
    },
    {
      method: 'GET',
      path,
      action: 'channel.get',
      work: async (call) => ({ status: 200, value: found(await store.channel(idIn(call, 'channelId')), 'channel') }),
    },
    {
      method: 'DELETE',
      path,
      action: 'channel.delete',
      work: async (call) => {
        const channelId = idIn(call, 'channelId');
        found((await deleteChannel(channelId)) || null, 'channel');
        wakeChores();
        return { status: 202, value: { id: channelId, deleted: true } };
      },
    },
  ];
}
