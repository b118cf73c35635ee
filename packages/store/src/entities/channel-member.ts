import { defineEntity, p } from '@mikro-orm/core';
import { ChannelEntity } from './channel.ts';
import { UserEntity } from './user.ts';

/**
 * A user in a channel. The cursors are positions, 0-0 is never; the time is when they moved. A member has also read up to his own
 * newest message: a send writes no row per member.
 */
export const ChannelMemberEntity = defineEntity({
  name: 'ChannelMember',
  tableName: 'channel_members',
  properties: {
    channel: () => p.manyToOne(ChannelEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    user: () => p.manyToOne(UserEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    rank: p.smallint(),
    joinedAt: p.bigint('number'),
    readEpoch: p.bigint('number').defaultRaw('0'),
    readN: p.bigint('number').defaultRaw('0'),
    readAt: p.bigint('number').defaultRaw('0'),
    deliveredEpoch: p.bigint('number').defaultRaw('0'),
    deliveredN: p.bigint('number').defaultRaw('0'),
    deliveredAt: p.bigint('number').defaultRaw('0'),
    mutedUntil: p.bigint('number').nullable(),
    silencedUntil: p.bigint('number').defaultRaw('0'),
  },
  checks: [{ name: 'channel_members_rank_check', expression: 'rank >= 1 and rank <= 5' }],
  indexes: [
    { name: 'channel_members_user_index', properties: ['user', 'channel'] },
    {
      name: 'channel_members_user_read_index',
      properties: ['user', 'readAt'],
      columns: [{ name: 'user_id' }, { name: 'read_at', sort: 'desc' }],
    },
    { name: 'channel_members_joined_index', properties: ['channel', 'joinedAt', 'user'] },
  ],
});
