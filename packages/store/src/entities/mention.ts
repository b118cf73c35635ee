import { defineEntity, p } from '@mikro-orm/core';

/** A message, by its place, that mentions somebody. No foreign keys, as of messages. */
export const MentionEntity = defineEntity({
  name: 'Mention',
  tableName: 'mentions',
  properties: {
    channelId: p.uuid().primary(),
    userId: p.uuid().primary(),
    epoch: p.bigint('number').primary(),
    n: p.bigint('number').primary(),
  },
  indexes: [{ name: 'mentions_user_index', properties: ['userId'] }],
});
