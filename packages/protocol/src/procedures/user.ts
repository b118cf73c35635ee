import * as z from 'zod/mini';
import { userSchema } from '../entities.ts';
import {
  NAME_MAX_CHARS,
  PAGE_DEFAULT,
  SEARCH_MAX_CHARS,
  STATUS_TEXT_MAX_CHARS,
  USERS_PER_CALL_MAX,
} from '../limits.ts';
import { idSchema, textSchema, urlSchema } from '../words.ts';
import { ids, limit } from './shapes.ts';

const timeOfDay = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/));

/** When a user does not want to be reached: from one time of day to another, in an IANA time zone. */
const quietHoursSchema = z.object({ from: timeOfDay, to: timeOfDay, timeZone: textSchema(1, 64) });

/** By what a user is reached while he is away. */
export const notifySchema = z.object({
  push: z.boolean(),
  email: z.boolean(),
  quietHours: z.nullable(quietHoursSchema),
});
export type Notify = z.infer<typeof notifySchema>;

export const userInputs = {
  'user.me': z.optional(z.object({})),
  'user.get': z.object({ userIds: ids(USERS_PER_CALL_MAX) }),
  'user.search': z.object({ query: textSchema(1, SEARCH_MAX_CHARS), limit: limit(PAGE_DEFAULT) }),
  'user.contacts': z.optional(z.object({})),
  'user.settings': z.optional(z.object({})),
  'user.update': z.object({
    name: z.optional(textSchema(1, NAME_MAX_CHARS)),
    avatarUrl: z.optional(z.nullable(urlSchema)),
    statusText: z.optional(z.nullable(textSchema(0, STATUS_TEXT_MAX_CHARS))),
    notify: z.optional(z.partial(notifySchema)),
  }),
  'user.block': z.object({ userId: idSchema }),
  'user.unblock': z.object({ userId: idSchema }),
};

export const userAnswers = {
  'user.me': userSchema,
  'user.get': z.array(userSchema),
  'user.search': z.array(userSchema),
  'user.contacts': z.array(userSchema),
  'user.settings': z.object({ notify: notifySchema, blocked: z.array(idSchema) }),
  'user.update': userSchema,
  'user.block': z.object({ blocked: z.boolean() }),
  'user.unblock': z.object({ blocked: z.boolean() }),
};
