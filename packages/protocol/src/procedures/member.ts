import * as z from 'zod/mini';
import { memberSchema } from '../entities.ts';
import { MEMBERS_PER_CALL_MAX, PAGE_DEFAULT } from '../limits.ts';
import { cursorSchema, idSchema, roleSchema } from '../words.ts';
import { limit, op, page, settled } from './shapes.ts';

export const memberInputs = {
  'member.add': z.object({
    channelId: idSchema,
    userIds: z.array(idSchema).check(z.minLength(1), z.maxLength(MEMBERS_PER_CALL_MAX)),
    role: z._default(roleSchema, 'member'),
    op,
  }),
  'member.remove': z.object({ channelId: idSchema, userId: idSchema, op }),
  'member.setRole': z.object({ channelId: idSchema, userId: idSchema, role: roleSchema, op }),
  /** Until a time, epoch milliseconds; null: not any more. */
  'member.silence': z.object({
    channelId: idSchema,
    userId: idSchema,
    until: z.nullable(z.int().check(z.gte(0))),
    op,
  }),
  'member.list': z.object({ channelId: idSchema, cursor: z.optional(cursorSchema), limit: limit(PAGE_DEFAULT) }),
};

export const memberAnswers = {
  /** `position` is that of the last one who was added. */
  'member.add': z.object({ ...settled, members: z.array(memberSchema) }),
  'member.remove': z.object(settled),
  'member.setRole': z.object(settled),
  'member.silence': z.object(settled),
  'member.list': page(memberSchema),
};
