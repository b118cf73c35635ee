import type { Clock } from '@parley/domain';
import { Hopeless } from '@parley/queue';
import { post } from '../outlets/http-post.ts';
import type { Patience } from '../outlets/patience.ts';
import { signatureOf, type WebhookCall } from '../outlets/webhook.ts';

interface PostWebhookParts {
  readonly urls: readonly string[];
  readonly secret: string;
  readonly patience: Patience;
  readonly clock: Clock;
}

/**
 * The job `webhook`: one call, signed, with a deadline, without redirects. Any answer but 2xx fails it, and it is called again with the
 * same id and body, less and less often. After the last try it is a dead letter.
 */
export function createPostWebhook({ urls, secret, patience, clock }: PostWebhookParts) {
  return async ({ url, deliveryId, body }: WebhookCall): Promise<void> => {
    if (!urls.includes(url)) throw new Hopeless('this webhook is no longer among WEBHOOK_URLS');
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
