import * as z from 'zod/mini';
import { positionSchema } from './position.ts';
import { channelKindSchema, idSchema, presenceStatusSchema, roleSchema } from './words.ts';

const nullable = z.nullable;

export const userSchema = z.object({
  id: idSchema,
  name: z.string(),
  avatarUrl: nullable(z.string()),
  status: presenceStatusSchema,
  statusText: nullable(z.string()),
  lastSeenAt: nullable(z.number()),
});
export type User = z.infer<typeof userSchema>;

export const attachmentSchema = z.object({
  id: idSchema,
  fileName: z.string(),
  contentType: z.string(),
  byteSize: z.number(),
  thumbnailUrl: nullable(z.string()),
});
export type Attachment = z.infer<typeof attachmentSchema>;

export const envelopeSchema = z.object({
  ciphertext: z.string(),
  nonce: z.string(),
  ephemeralPublicKey: z.string(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

export const reactionSchema = z.object({ emoji: z.string(), count: z.number(), mine: z.boolean() });
export type Reaction = z.infer<typeof reactionSchema>;

export const messageSchema = z.object({
  id: idSchema,
  channelId: idSchema,
  position: positionSchema,
  clientMsgId: idSchema,
  senderId: idSchema,
  body: z.string(),
  sentAt: z.number(),
  editedAt: nullable(z.number()),
  deletedAt: nullable(z.number()),
  replyTo: nullable(idSchema),
  threadOf: nullable(idSchema),
  replyCount: z.number(),
  reactions: z.array(reactionSchema),
  attachments: z.array(attachmentSchema),
  mentions: z.array(idSchema),
  encrypted: nullable(envelopeSchema),
  persisted: z.boolean(),
});
export type Message = z.infer<typeof messageSchema>;

/** What a search found; `snippet` is the part of the body around the first match. */
export const foundMessageSchema = z.extend(messageSchema, { snippet: z.string() });
export type FoundMessage = z.infer<typeof foundMessageSchema>;

export const channelSchema = z.object({
  id: idSchema,
  kind: channelKindSchema,
  name: nullable(z.string()),
  topic: nullable(z.string()),
  avatarUrl: nullable(z.string()),
  encrypted: z.boolean(),
  memberCount: z.number(),
  createdAt: z.number(),
  archivedAt: nullable(z.number()),
});
export type Channel = z.infer<typeof channelSchema>;

export const channelSummarySchema = z.extend(channelSchema, {
  role: roleSchema,
  head: nullable(positionSchema),
  readTo: nullable(positionSchema),
  unread: z.number(),
  mentions: z.number(),
  lastMessage: nullable(messageSchema),
  /** Direct: both. Group: the first eight. */
  members: z.array(userSchema),
  muted: z.boolean(),
});
export type ChannelSummary = z.infer<typeof channelSummarySchema>;

export const memberSchema = z.object({
  userId: idSchema,
  role: roleSchema,
  joinedAt: z.number(),
  user: userSchema,
  deliveredTo: nullable(positionSchema),
  readTo: nullable(positionSchema),
});
export type Member = z.infer<typeof memberSchema>;

/** One page of a list; `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
