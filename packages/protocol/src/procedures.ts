import * as z from 'zod/mini';
import {
  ATTACHMENTS_MAX,
  CHANNEL_LIST_DEFAULT,
  MEMBERS_PER_CALL_MAX,
  MENTIONS_MAX,
  NAME_MAX_CHARS,
  PAGE_DEFAULT,
  PAGE_MAX,
  USERS_PER_CALL_MAX,
} from './limits.ts';
import { positionSchema } from './position.ts';
import {
  bodySchema,
  byteLength,
  channelKindSchema,
  cursorSchema,
  idSchema,
  levelSchema,
  roleSchema,
  textSchema,
} from './words.ts';

const limit = (byDefault: number) => z._default(z.int().check(z.gte(1), z.lte(PAGE_MAX)), byDefault);
const epoch = z.int().check(z.gte(0));
const ids = (max: number) => z.array(idSchema).check(z.maxLength(max));

/**
 * How a durable operation is repeated safely. The same id again gives the same answer. `epoch` is the one in which the unpersisted
 * forerunners were confirmed: in another one the call is refused with `CONFLICT`. `triedIn` is the epoch of the first try: in a later
 * one the server looks the operation up in Postgres before it accepts it again.
 */
export const operationSchema = z.object({ id: idSchema, epoch: z.optional(epoch), triedIn: z.optional(epoch) });
export type Operation = z.infer<typeof operationSchema>;

const sealed = z.object({
  ciphertext: bodySchema.check(z.minLength(1)),
  nonce: textSchema(1, 200),
  ephemeralPublicKey: textSchema(1, 500),
});

/** Input of every procedure, by path. */
export const inputs = {
  'user.me': z.optional(z.object({})),
  'user.get': z.object({ userIds: ids(USERS_PER_CALL_MAX) }),
  'session.refresh': z.object({ token: z.string().check(z.minLength(1), z.maxLength(8_192)) }),
  'channel.create': z.object({
    kind: channelKindSchema,
    name: z.optional(textSchema(1, NAME_MAX_CHARS)),
    memberIds: ids(MEMBERS_PER_CALL_MAX),
    encrypted: z.optional(z.boolean()),
    clientId: z.optional(idSchema),
    op: z.optional(operationSchema),
  }),
  'channel.list': z._default(z.object({ cursor: z.optional(cursorSchema), limit: limit(CHANNEL_LIST_DEFAULT) }), {
    limit: CHANNEL_LIST_DEFAULT,
  }),
  'channel.get': z.object({ channelId: idSchema }),
  'member.add': z.object({
    channelId: idSchema,
    userIds: z.array(idSchema).check(z.minLength(1), z.maxLength(MEMBERS_PER_CALL_MAX)),
    role: z._default(roleSchema, 'member'),
    op: z.optional(operationSchema),
  }),
  'member.remove': z.object({ channelId: idSchema, userId: idSchema, op: z.optional(operationSchema) }),
  'member.list': z.object({ channelId: idSchema, cursor: z.optional(cursorSchema), limit: limit(PAGE_DEFAULT) }),
  'message.send': z
    .object({
      channelId: idSchema,
      clientMsgId: idSchema,
      body: bodySchema,
      replyTo: z.optional(idSchema),
      threadOf: z.optional(idSchema),
      attachmentIds: z.optional(ids(ATTACHMENTS_MAX)),
      mentions: z.optional(ids(MENTIONS_MAX)),
      encrypted: z.optional(sealed),
      ack: z._default(levelSchema, 'accepted'),
      op: z.optional(z.object({ epoch: z.optional(epoch), triedIn: z.optional(epoch), id: z.optional(idSchema) })),
    })
    .check(
      z.refine((m) => byteLength(m.body) > 0 || m.encrypted !== undefined || (m.attachmentIds ?? []).length > 0, {
        error: 'empty body',
        path: ['body'],
      }),
    ),
  'message.page': z
    .object({
      channelId: idSchema,
      before: z.optional(positionSchema),
      after: z.optional(positionSchema),
      around: z.optional(positionSchema),
      limit: limit(PAGE_DEFAULT),
    })
    .check(
      z.refine((p) => [p.before, p.after, p.around].filter((x) => x !== undefined).length <= 1, {
        error: 'before, after and around exclude each other',
      }),
    ),
  'message.get': z.object({ channelId: idSchema, messageId: idSchema }),
  'receipt.read': z.object({ channelId: idSchema, position: positionSchema }),
  'feed.channel': z.object({ channelId: idSchema, lastEventId: z.optional(z.nullable(positionSchema)) }),
  'feed.inbox': z.optional(z.object({ lastEventId: z.optional(z.nullable(z.string().check(z.maxLength(100)))) })),
};

/** What a caller gives to a procedure, defaults left out. */
export type Input<K extends keyof typeof inputs> = z.input<(typeof inputs)[K]>;
/** What a procedure works with, defaults filled in. */
export type Parsed<K extends keyof typeof inputs> = z.output<(typeof inputs)[K]>;
