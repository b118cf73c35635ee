/**
 * Every key that Parley has in Redis. `parley` is the setting KEY_PREFIX, `{t}` the hash tag of the channel's partition: all keys of
 * one script call share it, so that they live in one slot of a cluster.
 *
 * Log store (noeviction, append-only file):
 *
 * | key | type | content |
 * |---|---|---|
 * | `parley:{t}:epoch` | string | the epoch of the partition; missing or not Postgres' = a new one must be opened |
 * | `parley:{t}:log` | stream `epoch-k` | `l` = a line, until Postgres has it; k is dense from 0 within an epoch |
 * | `parley:{t}:ch:<channel>` | hash | the channel's header, below |
 * | `parley:{t}:win:<channel>` | stream `epoch-n` | `l` = a line; the last 200, and whatever Postgres has not. Its name is also the pub/sub channel |
 * | `parley:{t}:dd:<channel>:<actor>:<operation>` | string, 1 h | the answer that was given: `id place` |
 * | `parley:{t}:rd` | hash | `<channel> <user>` = `read place,delivered place` of cursors that moved and were not flushed |
 * | `parley:{t}:hd` | sorted set | `<channel>` of each loaded header, by the second in which it was loaded or looked at |
 * | `parley:user:<user>` | pub/sub | hints for the sessions of one user |
 * | `parley:node:<node>` | pub/sub | a broker listens to itself |
 *
 * A *place* is `epoch-n m at`, a *line* is `v kind place json` (packages/domain/src/log-line.ts). None of these keys but `dd` has a
 * TTL: it could take an n away while entries wait.
 *
 * Fields of a header: `s` head place · `b` newest position before this epoch, absent when none · `v` membership version ·
 * `c` member count · `l` member limit · `p` persisted mark `n m` of this epoch · `x` holes of this epoch `n:m n:m …` (m 0: no count
 * of messages has it in it), absent when none · `<user>` rank digit, then silenced-until or nothing · `r:<user>`, `d:<user>` place read, delivered.
 * The colon matters: a user id may begin with any hexadecimal digit.
 *
 * Cache store (allkeys-lru, nothing kept):
 *
 * | key | type | content |
 * |---|---|---|
 * | `parley:limit:<limit>:<user>` | string, TTL | GCRA: when the allowance is full again, milliseconds |
 */
import { type Limit, PARTITIONS, partitionOf } from '@parley/domain';
import { hashTag } from './hash-tags.ts';

/** Names the keys of one deployment. A *stem* is what the keys of one partition begin with, up to the colon behind the tag. */
export interface Keys {
  readonly stems: readonly string[];
  stemOf(channelId: string): string;
  user(userId: string): string;
  node(nodeId: string): string;
  limit(limit: Limit, userId: string): string;
}

export function createKeys(prefix: string): Keys {
  const stems = Array.from({ length: PARTITIONS }, (_, partition) => `${prefix}:{${hashTag(partition)}}:`);
  const stemAt = (partition: number) => {
    const stem = stems[partition];
    if (stem === undefined) throw new RangeError(`not a partition: ${partition}`);
    return stem;
  };
  return {
    stems,
    stemOf: (channelId) => stemAt(partitionOf(channelId)),
    user: (userId) => `${prefix}:user:${userId}`,
    node: (nodeId) => `${prefix}:node:${nodeId}`,
    limit: (limit, userId) => `${prefix}:limit:${limit}:${userId}`,
  };
}

export const epochKey = (stem: string) => `${stem}epoch`;
export const logKey = (stem: string) => `${stem}log`;
export const cursorsKey = (stem: string) => `${stem}rd`;
export const registerKey = (stem: string) => `${stem}hd`;
export const headerKey = (stem: string, channelId: string) => `${stem}ch:${channelId}`;
export const windowKey = (stem: string, channelId: string) => `${stem}win:${channelId}`;

interface Operation {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
}

/** Names the channel: the same id sent to two channels of one partition is two operations. */
export const answerKey = (stem: string, operation: Operation) =>
  `${stem}dd:${operation.channelId}:${operation.actorId}:${operation.operationId}`;
