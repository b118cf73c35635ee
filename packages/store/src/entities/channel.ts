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
  indexes: [
    { name: 'channels_created_index', properties: ['createdAt', 'id'] },
    {
      name: 'channels_public_index',
      expression: `create index "channels_public_index" on "channels" ("created_at" desc, "id" desc) where kind = 'public' and archived_at is null`,
    },
    {
      name: 'channels_public_words_index',
      expression: `create index "channels_public_words_index" on "channels" using gin ("name" gin_trgm_ops, "topic" gin_trgm_ops) where kind = 'public' and archived_at is null`,
    },
  ],
});
