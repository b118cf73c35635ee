import * as z from 'zod/mini';
import { channelSchema, channelSummarySchema, memberSchema, messageSchema, reactionSchema } from './entities.ts';
import { positionSchema } from './position.ts';
import { PROTOCOL_VERSION } from './version.ts';
import { idSchema, presenceStatusSchema } from './words.ts';

const head = z.nullable(positionSchema);

/** An event of one channel. Durable ones carry their own position as the tracked id; the others repeat the last durable one. */
const inChannel = { channelId: idSchema, at: z.number() };

const threadSchema = z.object({ messageId: idSchema, replyCount: z.number() });

export const channelEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('opened'),
    ...inChannel,
    epoch: z.number(),
    head,
    /** Every entry of this epoch up to here is in Postgres, except the holes. */
    persistedTo: head,
    /** Entries of this epoch at or below `persistedTo` that were superseded or rejected. */
    holes: z.array(positionSchema),
    resumed: z.boolean(),
  }),
  z.object({
    type: z.literal('message.created'),
    ...inChannel,
    message: messageSchema,
    /** Of a reply: the message it replies to in its thread, and how many replies that one has now. */
    thread: z.optional(threadSchema),
  }),
  /** `position` is that of the change, here and below: an entry of its own. */
  z.object({ type: z.literal('message.updated'), ...inChannel, position: positionSchema, message: messageSchema }),
  z.object({
    type: z.literal('message.deleted'),
    ...inChannel,
    position: positionSchema,
    messageId: idSchema,
    messagePosition: positionSchema,
    deletedAt: z.number(),
    thread: z.optional(threadSchema),
  }),
  z.object({
    type: z.literal('reaction.changed'),
    ...inChannel,
    position: positionSchema,
    messageId: idSchema,
    reactions: z.array(reactionSchema),
  }),
  z.object({ type: z.literal('channel.updated'), ...inChannel, position: positionSchema, channel: channelSchema }),
  z.object({
    type: z.literal('message.persisted'),
    ...inChannel,
    upTo: positionSchema,
    holes: z.array(positionSchema),
  }),
  z.object({
    type: z.literal('message.superseded'),
    ...inChannel,
    position: positionSchema,
    by: z.nullable(positionSchema),
  }),
  z.object({ type: z.literal('member.joined'), ...inChannel, position: positionSchema, member: memberSchema }),
  z.object({ type: z.literal('member.left'), ...inChannel, position: positionSchema, userId: idSchema }),
  z.object({ type: z.literal('member.updated'), ...inChannel, position: positionSchema, member: memberSchema }),
  z.object({
    type: z.literal('receipt.updated'),
    ...inChannel,
    userId: idSchema,
    deliveredTo: head,
    readTo: head,
  }),
  z.object({ type: z.literal('typing.changed'), ...inChannel, userId: idSchema, typing: z.boolean() }),
  z.object({
    type: z.literal('presence.changed'),
    ...inChannel,
    userId: idSchema,
    status: presenceStatusSchema,
    lastSeenAt: z.nullable(z.number()),
  }),
  z.object({
    type: z.literal('resync'),
    ...inChannel,
    reason: z.enum(['behind', 'epoch', 'ahead', 'retention']),
    head,
  }),
]);
export type ChannelEvent = z.infer<typeof channelEventSchema>;

export const inboxEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    at: z.number(),
    channels: z.array(channelSummarySchema),
    serverTime: z.number(),
    protocol: z.literal(PROTOCOL_VERSION),
  }),
  z.object({ type: z.literal('channel.added'), ...inChannel, channel: channelSummarySchema }),
  z.object({ type: z.literal('channel.removed'), ...inChannel, reason: z.enum(['left', 'removed', 'deleted']) }),
  z.object({
    type: z.literal('channel.activity'),
    ...inChannel,
    head,
    unread: z.number(),
    mentions: z.number(),
    lastMessage: z.nullable(messageSchema),
  }),
  z.object({ type: z.literal('channel.invited'), ...inChannel, channel: channelSchema, invitedBy: idSchema }),
  z.object({ type: z.literal('mention'), ...inChannel, message: messageSchema }),
  z.object({ type: z.literal('announcement'), at: z.number(), announcementId: idSchema, text: z.string() }),
  z.object({
    type: z.literal('read'),
    ...inChannel,
    readTo: head,
    unread: z.number(),
    /** Absent from an api that does not tell it yet. */
    mentions: z.optional(z.number()),
  }),
  z.object({
    type: z.literal('message.persisted'),
    ...inChannel,
    upTo: positionSchema,
    holes: z.array(positionSchema),
  }),
  z.object({
    type: z.literal('message.superseded'),
    ...inChannel,
    position: positionSchema,
    by: z.nullable(positionSchema),
  }),
  z.object({ type: z.literal('message.rejected'), ...inChannel, clientMsgId: idSchema, reason: z.string() }),
  z.object({
    type: z.literal('degraded'),
    at: z.number(),
    store: z.enum(['log', 'cache', 'postgres']),
    since: z.number(),
  }),
  z.object({ type: z.literal('recovered'), at: z.number(), store: z.enum(['log', 'cache', 'postgres']) }),
  z.object({ type: z.literal('drain'), at: z.number(), reconnectAfterMs: z.number() }),
]);
export type InboxEvent = z.infer<typeof inboxEventSchema>;
