import { isPushEndpoint, type Notice, type Person, type PushEndpointRules, pushPayload } from '@parley/domain';
import webPush from 'web-push';
import { noticeId } from '../offline/notice-id.ts';
import { post } from './http-post.ts';
import type { Patience } from './patience.ts';

type Subscription = Person['subscriptions'][number];

/** `told`: the push service has it. `gone`: the browser does not want it any more. */
export type PushOutcome = 'told' | 'gone';

/** Pushes to browsers. */
export interface WebPush {
  /** Throws when the push service did not take it: it may be tried again, and is the same message then. */
  tell(subscription: Subscription, notice: Notice): Promise<PushOutcome>;
}

interface WebPushOptions {
  readonly vapid: { readonly subject: string; readonly publicKey: string; readonly privateKey: string };
  readonly rules: PushEndpointRules;
  readonly patience: Patience;
}

/** How long a push service keeps a message for a browser that is off. */
const KEEP_S = 24 * 3_600;
const GONE = new Set([404, 410]);

/**
 * Encrypted for the browser (RFC 8291) and signed by this deployment (RFC 8292). The topic is the notice's id: of two copies that a
 * push service still has, it keeps one.
 */
export function createWebPush({ vapid, rules, patience }: WebPushOptions): WebPush {
  return {
    async tell({ endpoint, p256dh, auth }, notice) {
      // The rules may be stricter now than when it was subscribed.
      if (!isPushEndpoint(endpoint, rules) || !canRead({ p256dh, auth })) return 'gone';
      const id = noticeId(notice);
      const details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, pushPayload(notice, id), {
        vapidDetails: vapid,
        TTL: KEEP_S,
        topic: id,
        urgency: 'normal',
        contentEncoding: 'aes128gcm',
      });
      const headers = Object.fromEntries(Object.entries(details.headers).map(([name, value]) => [name, String(value)]));
      return patience(new URL(endpoint).host, async () => {
        const { status } = await post({ url: endpoint, headers, body: new Uint8Array(details.body) });
        if (status >= 200 && status < 300) return 'told';
        if (GONE.has(status)) return 'gone';
        throw new Error(`the push service answered ${status}`);
      });
    },
  };
}

/** Whether there is a browser that can read what is encrypted with these keys. The client chose them, and they may be any bytes. */
function canRead({ p256dh, auth }: Pick<Subscription, 'p256dh' | 'auth'>): boolean {
  try {
    webPush.encrypt(p256dh, auth, 'x', 'aes128gcm');
    return true;
  } catch {
    // Not a point of the curve: no other try, and no other setting, will make it one.
    return false;
  }
}
