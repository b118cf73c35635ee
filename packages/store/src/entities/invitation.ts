import { defineEntity, p } from '@mikro-orm/core';
import { ChannelEntity } from './channel.ts';
import { UserEntity } from './user.ts';

/** A user who may come into a channel by himself. */
export const InvitationEntity = defineEntity({
  name: 'Invitation',
  tableName: 'invitations',
  properties: {
    channel: () => p.manyToOne(ChannelEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    user: () => p.manyToOne(UserEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    invitedBy: p.uuid(),
    at: p.bigint('number'),
  },
  indexes: [{ name: 'invitations_user_index', properties: ['user', 'at'] }],
});
