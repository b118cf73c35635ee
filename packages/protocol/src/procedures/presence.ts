import * as z from 'zod/mini';
import { STATUS_TEXT_MAX_CHARS, USERS_PER_CALL_MAX } from '../limits.ts';
import { idSchema, presenceStatusSchema, textSchema } from '../words.ts';
import { ids } from './shapes.ts';

const presence = z.object({ userId: idSchema, status: presenceStatusSchema, lastSeenAt: z.nullable(z.number()) });

export const presenceInputs = {
  'presence.set': z.object({
    status: z.enum(['online', 'away', 'busy']),
    text: z.optional(z.nullable(textSchema(0, STATUS_TEXT_MAX_CHARS))),
  }),
  'presence.get': z.object({ userIds: ids(USERS_PER_CALL_MAX) }),
  'typing.set': z.object({ channelId: idSchema, typing: z.boolean() }),
};

export const presenceAnswers = {
  'presence.set': z.extend(presence, { text: z.nullable(z.string()) }),
  'presence.get': z.array(presence),
  /** How long it holds; said again before, it goes on. */
  'typing.set': z.object({ expiresInMs: z.number() }),
};
