import { defineEntity, p } from '@mikro-orm/core';
import type { Notify } from '@parley/protocol';

/** Somebody who was seen once with a token. */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    avatarUrl: p.text().nullable(),
    email: p.text().nullable(),
    locale: p.text().nullable(),
    statusText: p.text().nullable(),
    // A row is refreshed only when what the token claims has changed.
    claimsHash: p.text(),
    createdAt: p.bigint('number'),
    lastSeenAt: p.bigint('number').nullable(),
    // What the token claims, beside what the user has put in its place.
    claimedName: p.text().nullable(),
    claimedAvatarUrl: p.text().nullable(),
    notify: p.json<Partial<Notify>>().nullable(),
  },
  indexes: [
    {
      name: 'users_name_trgm_index',
      expression: 'create index "users_name_trgm_index" on "users" using gin ("name" gin_trgm_ops)',
    },
    { name: 'users_created_index', properties: ['createdAt', 'id'] },
  ],
});
