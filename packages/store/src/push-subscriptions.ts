import { type PushSubscriptions, SUBSCRIPTIONS_MAX } from '@parley/domain';
import type { Database } from './database.ts';
import { statement } from './statement.ts';

const SUBSCRIBE = statement('subscribe-push');
const UNSUBSCRIBE = statement('unsubscribe-push');
const GONE = statement('subscription-gone');

/** Browsers that want to be pushed to. */
export function pushSubscriptions(database: Database): PushSubscriptions {
  return {
    subscribe: async (userId, { endpoint, p256dh, auth, expiresAt }) => {
      await database.query(SUBSCRIBE, [userId, endpoint, p256dh, auth, expiresAt, Date.now(), SUBSCRIPTIONS_MAX]);
    },
    unsubscribe: async (userId, endpoint) => {
      await database.query(UNSUBSCRIBE, [userId, endpoint]);
    },
    gone: async (subscriptionId) => {
      await database.query(GONE, [subscriptionId]);
    },
  };
}
