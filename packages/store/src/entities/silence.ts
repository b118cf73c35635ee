import { defineEntity, p } from '@mikro-orm/core';
import { ChannelEntity } from './channel.ts';
import { UserEntity } from './user.ts';

/** Until when somebody who went may not speak in a channel, should he come back. A member's silence is in his own row. */
export const SilenceEntity = defineEntity({
  name: 'Silence',
  tableName: 'silences',
  properties: {
    channel: () => p.manyToOne(ChannelEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    user: () => p.manyToOne(UserEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    until: p.bigint('number'),
  },
  indexes: [{ name: 'silences_user_index', properties: ['user'] }],
});
