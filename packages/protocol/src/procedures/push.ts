import * as z from 'zod/mini';
import { textSchema, urlSchema } from '../words.ts';

export const pushInputs = {
  'push.key': z.optional(z.object({})),
  /** What a browser's `PushSubscription.toJSON()` gives. */
  'push.subscribe': z.object({
    endpoint: urlSchema,
    expirationTime: z.optional(z.nullable(z.number())),
    keys: z.object({ p256dh: textSchema(1, 200), auth: textSchema(1, 100) }),
  }),
  'push.unsubscribe': z.object({ endpoint: urlSchema }),
};

export const pushAnswers = {
  /** The VAPID key to subscribe with; null where this deployment sends no push messages. */
  'push.key': z.object({ publicKey: z.nullable(z.string()) }),
  'push.subscribe': z.object({ subscribed: z.boolean() }),
  'push.unsubscribe': z.object({ subscribed: z.boolean() }),
};
