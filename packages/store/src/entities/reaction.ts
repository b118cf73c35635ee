import { defineEntity, p } from '@mikro-orm/core';

/** Who reacted to what. No foreign keys, as of messages. */
export const ReactionEntity = defineEntity({
  name: 'Reaction',
  tableName: 'reactions',
  properties: {
    messageId: p.uuid().primary(),
    userId: p.uuid().primary(),
    emoji: p.text().primary(),
    channelId: p.uuid(),
    at: p.bigint('number'),
  },
  indexes: [{ name: 'reactions_user_index', properties: ['userId', 'channelId'] }],
});
