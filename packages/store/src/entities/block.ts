import { defineEntity, p } from '@mikro-orm/core';

/** A user who does not want to hear from another one. */
export const BlockEntity = defineEntity({
  name: 'Block',
  tableName: 'blocks',
  properties: { userId: p.uuid().primary(), blockedId: p.uuid().primary(), at: p.bigint('number') },
  indexes: [{ name: 'blocks_blocked_index', properties: ['blockedId'] }],
});
