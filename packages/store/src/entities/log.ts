import { defineEntity, p } from '@mikro-orm/core';

/** Where the drain of a partition stands, and the epoch opened for it, on which log server and by which Postgres. */
export const LogPartitionEntity = defineEntity({
  name: 'LogPartition',
  tableName: 'log_partition',
  properties: {
    partition: p.smallint().primary().autoincrement(false),
    epoch: p.bigint('number').defaultRaw('0'),
    readEpoch: p.bigint('number').defaultRaw('0'),
    readK: p.bigint('number').defaultRaw('0'),
    runId: p.text().nullable(),
    replicationId: p.text().nullable(),
    pgSystem: p.text().nullable(),
    pgTimeline: p.bigint('number').nullable(),
    openedAt: p.bigint('number').nullable(),
    restoredEpoch: p.bigint('number').nullable(),
  },
});

/**
 * The newest persisted place of a channel: n for a header that comes back in its epoch, m for a new epoch, at for lists. And up to
 * where retention has removed its history; 0-0: nothing. And up to where a restored copy had it, when there was a restore.
 */
export const ChannelHeadEntity = defineEntity({
  name: 'ChannelHead',
  tableName: 'channel_head',
  properties: {
    channelId: p.uuid().primary(),
    epoch: p.bigint('number'),
    n: p.bigint('number'),
    m: p.bigint('number'),
    at: p.bigint('number'),
    removedEpoch: p.bigint('number').defaultRaw('0'),
    removedN: p.bigint('number').defaultRaw('0'),
    keptEpoch: p.bigint('number').nullable(),
    keptN: p.bigint('number').nullable(),
  },
  indexes: [{ name: 'channel_head_at_index', properties: ['at'] }],
});

/** Every position that is not a message, so that messages and changes together are dense from 1 to the head. */
export const LogChangeEntity = defineEntity({
  name: 'LogChange',
  tableName: 'log_change',
  properties: {
    channelId: p.uuid().primary(),
    epoch: p.bigint('number').primary(),
    n: p.bigint('number').primary(),
    kind: p.text(),
    target: p.uuid().nullable(),
    actorId: p.uuid().nullable(),
    operationId: p.uuid().nullable(),
    byEpoch: p.bigint('number').nullable(),
    byN: p.bigint('number').nullable(),
    at: p.bigint('number'),
  },
  indexes: [{ name: 'log_change_operation_index', properties: ['channelId', 'operationId'] }],
});

/** An entry that Postgres refused for ever, as it was. */
export const DeadLetterEntity = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letter',
  properties: {
    partition: p.smallint().primary().autoincrement(false),
    epoch: p.bigint('number').primary(),
    k: p.bigint('number').primary(),
    channelId: p.uuid().nullable(),
    channelEpoch: p.bigint('number').nullable(),
    channelN: p.bigint('number').nullable(),
    senderId: p.uuid().nullable(),
    clientMsgId: p.uuid().nullable(),
    line: p.blob(),
    reason: p.text(),
    at: p.bigint('number'),
  },
  indexes: [{ name: 'dead_letter_operation_index', properties: ['channelId', 'senderId', 'clientMsgId'] }],
});
