import * as z from 'zod/mini';
import { channelSchema, channelSummarySchema, memberSchema, messageSchema, userSchema } from './entities.ts';
import { positionSchema } from './position.ts';
import { idSchema, levelSchema } from './words.ts';

const page = <T extends z.ZodMiniType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.nullable(z.string()) });
/** Every answer to a durable operation carries the current epoch. */
const inEpoch = { epoch: z.number() };

/** Output of every procedure that is not a feed, by path. */
export const answers = {
  'user.me': userSchema,
  'user.get': z.array(userSchema),
  'session.refresh': z.object({ expiresAt: z.number() }),
  'channel.create': z.extend(channelSchema, { ...inEpoch }),
  'channel.list': page(channelSummarySchema),
  'channel.get': channelSummarySchema,
  'member.add': z.object({ ...inEpoch, members: z.array(memberSchema) }),
  'member.remove': z.object({ ...inEpoch, position: z.nullable(positionSchema), level: levelSchema }),
  'member.list': page(memberSchema),
  'message.send': z.object({
    ...inEpoch,
    messageId: idSchema,
    position: positionSchema,
    sentAt: z.number(),
    level: levelSchema,
    duplicate: z.boolean(),
  }),
  'message.page': z.object({ items: z.array(messageSchema), hasBefore: z.boolean(), hasAfter: z.boolean() }),
  'message.get': messageSchema,
  'receipt.read': z.object({ readTo: z.nullable(positionSchema), unread: z.number() }),
};

export type Answer<K extends keyof typeof answers> = z.infer<(typeof answers)[K]>;
