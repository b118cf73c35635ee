import * as z from 'zod/mini';
import { positionSchema } from '../position.ts';
import { idSchema } from '../words.ts';

const cursor = z.object({ channelId: idSchema, position: positionSchema });
const standing = z.object({ readTo: z.nullable(positionSchema), unread: z.number() });

export const receiptInputs = {
  'receipt.read': cursor,
  'receipt.delivered': cursor,
  'receipt.list': z.object({ channelId: idSchema, messageId: idSchema }),
};

export const receiptAnswers = {
  'receipt.read': standing,
  'receipt.delivered': standing,
  /** Members whose cursors are at or after the message, without its sender; the times are when their cursors last moved. */
  'receipt.list': z.array(
    z.object({ userId: idSchema, deliveredAt: z.nullable(z.number()), readAt: z.nullable(z.number()) }),
  ),
};
