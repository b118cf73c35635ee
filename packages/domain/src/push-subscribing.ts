import type { Answer, Parsed } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { PushSubscriptions } from './ports/push-subscriptions.ts';
import { isPushEndpoint, type PushEndpointRules } from './push-endpoint.ts';

export interface PushDeps {
  readonly push: Pick<PushSubscriptions, 'subscribe' | 'unsubscribe'>;
  /** The key that a browser subscribes with; null where nothing is pushed. */
  readonly pushKey: string | null;
  readonly pushRules: PushEndpointRules;
}

/** The key to subscribe with; null tells a client not to ask its user for a permission that is of no use. */
export function pushKey({ pushKey: publicKey }: Pick<PushDeps, 'pushKey'>) {
  return async (): Promise<Answer<'push.key'>> => ({ publicKey });
}

/** Keeps a browser's subscription. The same one again, or another user's of the same browser, takes the place of what was there. */
export function subscribePush({ push, pushKey: key, pushRules }: PushDeps) {
  return async (userId: string, input: Parsed<'push.subscribe'>): Promise<Answer<'push.subscribe'>> => {
    const { endpoint, expirationTime, keys } = input;
    if (key === null) throw new Failure('FORBIDDEN', 'this deployment sends no push messages');
    if (!isPushEndpoint(endpoint, pushRules)) throw new Failure('INVALID', 'not an address of a known push service');
    if (!isKey(keys.p256dh, P256_POINT_BYTES) || !isKey(keys.auth, AUTH_BYTES)) {
      throw new Failure('INVALID', 'not the keys of a push subscription');
    }
    await push.subscribe(userId, {
      endpoint,
      p256dh: keys.p256dh,
      auth: keys.auth,
      expiresAt: expirationTime === null || expirationTime === undefined ? null : Math.floor(expirationTime),
    });
    return { subscribed: true };
  };
}

/** Forgets a browser's subscription; one that is not there is forgotten already. */
export function unsubscribePush({ push }: Pick<PushDeps, 'push'>) {
  return async (userId: string, { endpoint }: Parsed<'push.unsubscribe'>): Promise<Answer<'push.unsubscribe'>> => {
    await push.unsubscribe(userId, endpoint);
    return { subscribed: false };
  };
}

const P256_POINT_BYTES = 65;
const AUTH_BYTES = 16;

/** Base64url of so many bytes, with or without padding. */
function isKey(text: string, bytes: number): boolean {
  const digits = text.replace(/=+$/, '');
  return /^[\w-]+$/.test(digits) && Math.floor((digits.length * 3) / 4) === bytes;
}
