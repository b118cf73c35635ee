import { defineEntity, p } from '@mikro-orm/core';
import type { Attachment } from '@parley/protocol';

/** What few messages have, and no statement asks for by itself. */
export interface MessageExtra {
  readonly replyTo?: string;
  readonly attachmentIds?: readonly string[];
  readonly attachments?: readonly Attachment[];
  readonly mentions?: readonly string[];
  readonly encrypted?: { ciphertext: string; nonce: string; ephemeralPublicKey: string };
}

/** A message at its place. No foreign keys: every insert would pay for them, and a message outlives its sender. */
export const MessageEntity = defineEntity({
  name: 'Message',
  tableName: 'messages',
  properties: {
    channelId: p.uuid().primary(),
    epoch: p.bigint('number').primary(),
    n: p.bigint('number').primary(),
    m: p.bigint('number'),
    id: p.uuid(),
    senderId: p.uuid(),
    clientMsgId: p.uuid(),
    body: p.text(),
    extra: p.json<MessageExtra>().nullable(),
    threadOf: p.uuid().nullable(),
    sentAt: p.bigint('number'),
    editedAt: p.bigint('number').nullable(),
    deletedAt: p.bigint('number').nullable(),
    persistedAt: p
      .bigint('number')
      .nullable()
      .defaultRaw('((extract(epoch from clock_timestamp()) * (1000)::numeric))::bigint'),
  },
  uniques: [
    { name: 'messages_id_unique', properties: ['id'] },
    { name: 'messages_client_msg_unique', properties: ['channelId', 'senderId', 'clientMsgId'] },
  ],
  indexes: [
    {
      name: 'messages_sender_index',
      // As text: MikroORM looks for a column called `n` with a pattern that finds it in `channel_id`, and loses its `desc`.
      expression:
        'create index "messages_sender_index" on "messages" ("channel_id", "sender_id", "epoch" desc, "n" desc)',
    },
    {
      name: 'messages_thread_index',
      expression:
        'create index "messages_thread_index" on "messages" ("thread_of", "epoch", "n") where "thread_of" is not null',
    },
    {
      name: 'messages_deleted_index',
      expression:
        'create index "messages_deleted_index" on "messages" ("channel_id", "epoch", "n") where "deleted_at" is not null',
    },
    {
      name: 'messages_body_trgm_index',
      expression: 'create index "messages_body_trgm_index" on "messages" using gin ("body" gin_trgm_ops)',
    },
    {
      name: 'messages_sent_index',
      expression: 'create index "messages_sent_index" on "messages" using brin ("sent_at") with (autosummarize = on)',
    },
    {
      name: 'messages_unblanked_index',
      expression: `create index "messages_unblanked_index" on "messages" ("deleted_at")
        where deleted_at is not null and (body <> '' or extra ?| '{attachmentIds,attachments,mentions,encrypted}')`,
    },
  ],
});
