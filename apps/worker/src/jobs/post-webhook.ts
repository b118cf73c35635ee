import { type Clock, type OfflineStore, webhookBody } from '@parley/domain';
import { Hopeless } from '@parley/queue';
import { post } from '../outlets/http-post.ts';
import type { Patience } from '../outlets/patience.ts';
import { signatureOf, type WebhookCall } from '../outlets/webhook.ts';

interface PostWebhookParts {
  readonly store: Pick<OfflineStore, 'stillMissed'>;
  readonly urls: readonly string[];
  readonly secret: string;
  readonly patience: Patience;
  readonly clock: Clock;
}

/**
 * The job `webhook`: one call, signed, with a deadline, without redirects. It tells what is so when it is made: an endpoint may have been
 * away for hours, and when nothing is left to tell there is no call. Any answer but 2xx fails it, and it is called again with the same id,
 * less and less often. After the last try it is a dead letter.
 */
export function createPostWebhook({ store, urls, secret, patience, clock }: PostWebhookParts) {
  return async ({ url, deliveryId, ...range }: WebhookCall): Promise<void> => {
    if (!urls.includes(url)) throw new Hopeless('this webhook is no longer among WEBHOOK_URLS');
    // Outside of the patience: when Postgres does not answer, the endpoint is not to blame.
    const missed = await store.stillMissed(range, clock.now());
    if (!missed) return;
    const body = webhookBody(missed, deliveryId);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Parley',
      'parley-delivery': deliveryId,
      'parley-signature': signatureOf(body, secret, clock.now()),
    };
    await patience(url, async () => {
      const { status } = await post({ url, headers, body });
      if (status < 200 || status > 299) throw new Error(`the webhook answered ${status}`);
    });
  };
}
