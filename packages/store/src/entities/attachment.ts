import { defineEntity, p } from '@mikro-orm/core';

/** A file of a channel. No foreign keys: its row must outlive the channel, or nobody would know of its bytes. */
export const AttachmentEntity = defineEntity({
  name: 'Attachment',
  tableName: 'attachments',
  properties: {
    id: p.uuid().primary(),
    channelId: p.uuid(),
    uploaderId: p.uuid(),
    fileName: p.text(),
    contentType: p.text(),
    byteSize: p.bigint('number'),
    storageKey: p.text(),
    state: p.text().default('pending'),
    messageId: p.uuid().nullable(),
    createdAt: p.bigint('number'),
    readyAt: p.bigint('number').nullable(),
    usedAt: p.bigint('number').nullable(),
  },
  checks: [{ name: 'attachments_state_check', expression: "state in ('pending', 'ready', 'deleted')" }],
  indexes: [{ name: 'attachments_created_index', properties: ['createdAt', 'id'] }],
});
