import type {
  AmendedRow,
  ChangeRow,
  ChannelStateRow,
  CreatedRow,
  DeadLetterRow,
  DrainBatch,
  HeadRow,
  MemberRow,
  MentionRow,
  Move,
  ReactionRow,
} from '@parley/domain';
import type { MessageExtra } from './entities/message.ts';

/** The arrays of a batch in the order of `drain.sql`: one array a column, one element a row. */
export function drainColumns(batch: DrainBatch): unknown[][] {
  return [
    ...columns(batch.moves, moveRow),
    ...columns(batch.created, createdRow),
    ...columns(batch.members, memberRow),
    ...columns(batch.changes, changeRow),
    ...columns(batch.deadLetters, deadLetterRow),
    ...columns(batch.heads, headRow),
    ...columns(batch.created, createdRest),
    ...columns(batch.mentions, mentionRow),
    ...columns(batch.amended, amendedRow),
    ...columns(batch.reactions, reactionRow),
    ...columns(batch.members, memberRest),
    ...columns(batch.channels, channelRow),
  ];
}

/** Turns rows into columns. The mapper names its fields once; without rows there must be as many empty columns. */
function columns<Row>(rows: readonly Row[], { width, values }: RowShape<Row>): unknown[][] {
  const result: unknown[][] = Array.from({ length: width }, () => []);
  for (const row of rows) {
    const cells = values(row);
    for (let i = 0; i < width; i++) result[i]?.push(cells[i]);
  }
  return result;
}

interface RowShape<Row> {
  readonly width: number;
  readonly values: (row: Row) => readonly unknown[];
}

const moveRow: RowShape<Move> = {
  width: 6,
  values: ({ from, toEpoch, toK }) => [from.partition, from.epoch, from.readEpoch, from.readK, toEpoch, toK],
};

const createdRow: RowShape<CreatedRow> = {
  width: 11,
  values: (row) => [
    row.partition,
    row.channelId,
    row.place.epoch,
    row.place.n,
    row.place.m,
    row.place.at,
    row.id,
    row.senderId,
    row.clientMsgId,
    row.body,
    extraOf(row),
  ],
};

const memberRow: RowShape<MemberRow> = {
  width: 9,
  values: ({ partition, channelId, userId, rank, version, place, joined }) => [
    partition,
    channelId,
    userId,
    rank,
    version,
    place.epoch,
    place.n,
    place.at,
    joined ?? false,
  ],
};

const changeRow: RowShape<ChangeRow> = {
  width: 9,
  values: ({ partition, channelId, place, kind, target, actorId, operationId }) => [
    partition,
    channelId,
    place.epoch,
    place.n,
    place.at,
    kind,
    target,
    actorId,
    operationId,
  ],
};

const deadLetterRow: RowShape<DeadLetterRow> = {
  width: 10,
  values: (row) => [
    row.partition,
    row.epoch,
    row.k,
    row.channelId,
    row.place?.epoch ?? null,
    row.place?.n ?? null,
    row.senderId,
    row.clientMsgId,
    Buffer.from(row.line),
    row.reason,
  ],
};

const headRow: RowShape<HeadRow> = {
  width: 6,
  values: ({ partition, channelId, place }) => [partition, channelId, place.epoch, place.n, place.m, place.at],
};

const createdRest: RowShape<CreatedRow> = {
  width: 3,
  values: ({ threadOf, editedAt, deletedAt }) => [threadOf, editedAt, deletedAt],
};

const mentionRow: RowShape<MentionRow> = {
  width: 5,
  values: ({ partition, channelId, userId, place }) => [partition, channelId, userId, place.epoch, place.n],
};

const amendedRow: RowShape<AmendedRow> = {
  width: 6,
  values: (row) => [row.partition, row.channelId, row.messageId, row.body, row.editedAt, row.deletedAt],
};

const reactionRow: RowShape<ReactionRow> = {
  width: 7,
  values: (row) => [row.partition, row.channelId, row.messageId, row.userId, row.emoji, row.at, row.added],
};

const memberRest: RowShape<MemberRow> = { width: 1, values: ({ silencedUntil = null }) => [silencedUntil] };

const channelRow: RowShape<ChannelStateRow> = {
  width: 7,
  values: ({ partition, channelId, version, name, topic, avatarUrl, archivedAt }) => [
    partition,
    channelId,
    version,
    name,
    topic,
    avatarUrl,
    archivedAt,
  ],
};

/** Most messages are words only: then it is null, and takes no room. */
function extraOf(row: CreatedRow): string | null {
  const extra: MessageExtra = {
    ...(row.replyTo !== null && { replyTo: row.replyTo }),
    ...(row.attachmentIds.length > 0 && { attachmentIds: row.attachmentIds }),
    ...(row.attachments?.length && { attachments: row.attachments }),
    ...(row.mentions.length > 0 && { mentions: row.mentions }),
    ...(row.encrypted !== null && { encrypted: row.encrypted }),
  };
  return Object.keys(extra).length === 0 ? null : JSON.stringify(extra);
}
