/** Where a browser wants to be pushed to, and the keys that only it can read with. */
export interface PushSubscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  /** Epoch milliseconds; null: until the push service says otherwise. */
  readonly expiresAt: number | null;
}

/** The browsers of all users. An endpoint belongs to one user at a time: the one who subscribed it last. */
export interface PushSubscriptions {
  /** Keeps it. A user has at most `SUBSCRIPTIONS_MAX`: his oldest one goes. */
  subscribe(userId: string, subscription: PushSubscription): Promise<void>;
  /** Forgets it, with what it was told. Does nothing when it is not the user's. */
  unsubscribe(userId: string, endpoint: string): Promise<void>;
  /** Forgets one that its push service does not know any more. */
  gone(subscriptionId: string): Promise<void>;
}

/** Subscriptions that a user may have at once. */
export const SUBSCRIPTIONS_MAX = 20;
