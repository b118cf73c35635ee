import { createHash, createHmac } from 'node:crypto';
import { type MissedRange, type Notice, rangeOf } from '@parley/domain';
import type { Producer } from '@parley/queue';
import { noticeId } from '../offline/notice-id.ts';

/** A call of a webhook that is still to be made: of whom and what it tells. The words are read when it is made. */
export interface WebhookCall extends MissedRange {
  readonly url: string;
  readonly deliveryId: string;
}

/** Hands notices to the queue of webhook calls, which keeps them until they were made or are dead letters. */
export interface Webhooks {
  tell(notices: readonly Notice[]): Promise<void>;
}

/** One call for each notice and URL. The same again is the same job: the queue takes it once as long as it remembers it. */
export function createWebhooks({ urls, calls }: { urls: readonly string[]; calls: Producer<WebhookCall> }): Webhooks {
  return {
    async tell(notices) {
      const jobs = notices.flatMap((notice) => {
        const deliveryId = noticeId(notice);
        return urls.map((url) => ({ id: jobId(deliveryId, url), payload: { url, deliveryId, ...rangeOf(notice) } }));
      });
      await calls.addMany(jobs);
    },
  };
}

function jobId(deliveryId: string, url: string): string {
  return `${deliveryId}-${createHash('sha256').update(url).digest('base64url').slice(0, 12)}`;
}

/**
 * The header by which a receiver knows who calls: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`. The time is the call's own, so
 * that a receiver can refuse what somebody has recorded.
 */
export function signatureOf(body: string, secret: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
