import { defineEntity, p } from '@mikro-orm/core';

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
  },
});
