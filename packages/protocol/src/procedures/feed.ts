import * as z from 'zod/mini';
import { positionSchema } from '../position.ts';
import { idSchema } from '../words.ts';

export const feedInputs = {
  'feed.channel': z.object({ channelId: idSchema, lastEventId: z.optional(z.nullable(positionSchema)) }),
  'feed.inbox': z.optional(z.object({ lastEventId: z.optional(z.nullable(z.string().check(z.maxLength(100)))) })),
};
