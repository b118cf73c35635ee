import * as z from 'zod/mini';
import { foundMessageSchema, messageSchema } from '../entities.ts';
import { ATTACHMENTS_MAX, MENTIONS_MAX, PAGE_DEFAULT, SEARCH_MAX_CHARS, SEARCH_MIN_CHARS } from '../limits.ts';
import { positionSchema } from '../position.ts';
import { bodySchema, byteLength, cursorSchema, idSchema, levelSchema, textSchema } from '../words.ts';
import { epoch, ids, inEpoch, limit, op, page } from './shapes.ts';

const sealed = z.object({
  ciphertext: bodySchema.check(z.minLength(1)),
  nonce: textSchema(1, 200),
  ephemeralPublicKey: textSchema(1, 500),
});

const side = { before: z.optional(positionSchema), after: z.optional(positionSchema) };
const given = (...positions: unknown[]) => positions.filter((position) => position !== undefined).length;

export const messageInputs = {
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
  'message.edit': z.object({ channelId: idSchema, messageId: idSchema, body: bodySchema.check(z.minLength(1)), op }),
  'message.delete': z.object({ channelId: idSchema, messageId: idSchema, op }),
  'message.page': z
    .object({ channelId: idSchema, ...side, around: z.optional(positionSchema), limit: limit(PAGE_DEFAULT) })
    .check(
      z.refine((p) => given(p.before, p.after, p.around) <= 1, {
        error: 'before, after and around exclude each other',
      }),
    ),
  'message.thread': z
    .object({ channelId: idSchema, messageId: idSchema, ...side, limit: limit(PAGE_DEFAULT) })
    .check(z.refine((p) => given(p.before, p.after) <= 1, { error: 'before and after exclude each other' })),
  'message.get': z.object({ channelId: idSchema, messageId: idSchema }),
  'message.search': z.object({
    query: textSchema(SEARCH_MIN_CHARS, SEARCH_MAX_CHARS),
    channelId: z.optional(idSchema),
    senderId: z.optional(idSchema),
    cursor: z.optional(cursorSchema),
    limit: limit(PAGE_DEFAULT),
  }),
};

const amended = {
  ...inEpoch,
  messageId: idSchema,
  position: positionSchema,
  level: levelSchema,
  duplicate: z.boolean(),
};
/**
 * `persistedOnly`: the message log could not be asked. What it has accepted and Postgres does not have yet may be missing, without a feed
 * ever telling it: it is to be read again.
 */
const messages = z.object({
  items: z.array(messageSchema),
  hasBefore: z.boolean(),
  hasAfter: z.boolean(),
  persistedOnly: z.optional(z.boolean()),
});

export const messageAnswers = {
  'message.send': z.object({
    ...inEpoch,
    messageId: idSchema,
    position: positionSchema,
    sentAt: z.number(),
    level: levelSchema,
    duplicate: z.boolean(),
  }),
  /** `position` is that of the edit, an entry of its own. */
  'message.edit': z.object({ ...amended, editedAt: z.number() }),
  'message.delete': z.object({ ...amended, deletedAt: z.number() }),
  'message.page': messages,
  /** Replies, oldest first. */
  'message.thread': messages,
  'message.get': messageSchema,
  'message.search': page(foundMessageSchema),
};
