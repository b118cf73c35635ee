import { defineEntity, p } from '@mikro-orm/core';
import { UserEntity } from './user.ts';

/** A browser that wants to be pushed to. */
export const PushSubscriptionEntity = defineEntity({
  name: 'PushSubscription',
  tableName: 'push_subscriptions',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(UserEntity).deleteRule('cascade').updateRule('no action').index(false),
    endpoint: p.text(),
    p256dh: p.text(),
    auth: p.text(),
    expiresAt: p.bigint('number').nullable(),
    createdAt: p.bigint('number'),
  },
  uniques: [{ name: 'push_subscriptions_endpoint_unique', properties: ['endpoint'] }],
  indexes: [{ name: 'push_subscriptions_user_index', properties: ['user', 'createdAt'] }],
});

/**
 * Up to where an outlet (`push:<subscription>`, `webhook`, `email`) has told a user of a channel, and what it was asked to tell and has
 * not answered yet: until `askedUntil` nobody else asks.
 */
export const OfflineNoticeEntity = defineEntity({
  name: 'OfflineNotice',
  tableName: 'offline_notices',
  properties: {
    user: () => p.manyToOne(UserEntity).primary().deleteRule('cascade').updateRule('no action').index(false),
    outlet: p.text().primary(),
    channelId: p.uuid().primary(),
    toldEpoch: p.bigint('number'),
    toldN: p.bigint('number'),
    toldAt: p.bigint('number').defaultRaw('0'),
    askedEpoch: p.bigint('number').nullable(),
    askedN: p.bigint('number').nullable(),
    askedUntil: p.bigint('number').defaultRaw('0'),
  },
});
