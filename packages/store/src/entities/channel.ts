import { defineEntity, p } from '@mikro-orm/core';

/** A conversation. `version` counts the changes of its membership. */
export const ChannelEntity = defineEntity({
  name: 'Channel',
  tableName: 'channels',
  properties: {
    id: p.uuid().primary(),
    kind: p.text(),
    name: p.text().nullable(),
    topic: p.text().nullable(),
    avatarUrl: p.text().nullable(),
    encrypted: p.boolean().default(false),
    memberCount: p.integer().default(0),
    memberLimit: p.integer(),
    version: p.bigint('number').defaultRaw('1'),
    createdAt: p.bigint('number'),
    archivedAt: p.bigint('number').nullable(),
  },
  checks: [
    { name: 'channels_kind_check', expression: "kind in ('direct', 'group', 'support', 'public')" },
    { name: 'channels_member_limit_check', expression: 'member_count <= member_limit' },
  ],
  indexes: [{ name: 'channels_created_index', properties: ['createdAt', 'id'] }],
});
