/**
 * Every key that Parley has in Redis. `parley` is the setting KEY_PREFIX, `{t}` the hash tag of the channel's partition: all keys of
 * one script call share it, so that they live in one slot of a cluster.
 *
 * Log store (noeviction, append-only file):
 *
 * | key | type | content |
 * |---|---|---|
 * | `parley:{t}:epoch` | string | the epoch of the partition, with the mark of open.lua; missing, not Postgres' or not marked = a new one must be opened |
 * | `parley:{t}:log` | stream `epoch-k` | `l` = a line, until Postgres has it; k is dense from 0 within an epoch |
 * | `parley:{t}:ch:<channel>` | hash | the channel's header, below |
 * | `parley:{t}:win:<channel>` | stream `epoch-n` | `l` = a line; the last 200, and whatever Postgres has not. Its name is also the pub/sub channel |
 * | `parley:{t}:st:<channel>` | hash | `<message>`, or `<channel>` itself = what changes about it, whole, as JSON: since its first change in this epoch |
 * | `parley:{t}:dd:<channel>:<actor>:<operation>` | string, 1 h | the answer that was given: `id place` |
 * | `parley:{t}:rd` | hash | `<channel> <user>` = `read place,delivered place` of cursors that moved and were not flushed |
 * | `parley:{t}:hd` | sorted set | `<channel>` of each loaded header, by the second in which it was loaded or looked at |
 * | `parley:user:<user>` | pub/sub | hints for the sessions of one user |
 * | `parley:node:<node>` | pub/sub | a broker listens to itself |
 * | `parley:everybody` | pub/sub | hints for every node |
 * | `parley:trace:<uuid>` | pub/sub | what nodes answer to one `npm run trace` |
 * | `parley:erasures` | hash | `<user>` = when his erasure was asked for, for a Postgres that is restored from before |
 *
 * A *place* is `epoch-n m at`, a *line* is `v kind place json` (packages/domain/src/log-line.ts). None of these keys but `dd` has a
 * TTL: it could take an n away while entries wait.
 *
 * Fields of a header: `s` head place · `b` newest position before this epoch, absent when none · `v` membership version ·
 * `c` member count · `l` member limit · `p` persisted mark `n m` of this epoch · `x` holes of this epoch `n:m n:m …` (m 0: no count
 * of messages has it in it), absent when none · `a` archived at, absent when not · `w` newest position of a change of a message or of the
 * channel · `g` there, when a restored Postgres may have lost what is before this epoch · `y` positions of deleted messages that may be unread ·
 * `<user>` rank digit, then silenced-until or nothing · `r:<user>`, `d:<user>` place read, delivered: the later of the two is how far it is
 * delivered · `@:<user>` positions of messages that mention him and may be unread · `q:<user>` until when somebody is silenced who went
 * since the header was loaded, absent when he is not.
 * The colon matters: a user id may begin with any hexadecimal digit.
 *
 * Cache store (allkeys-lru, nothing kept):
 *
 * | key | type | content |
 * |---|---|---|
 * | `parley:presence:<user>` | hash, 24 h | `n:<node>` = until when that node holds him · `s` chosen status · `t` his text · `l` last seen |
 * | `parley:seen` | sorted set, 24 h | users by when they were seen last, until Postgres has it and their presence is tidied up |
 * | `parley:presence` | pub/sub | changes of presence of all users, an array |
 * | `parley:typing:{<channel>}` | pub/sub | who types in a channel |
 * | `parley:typing:{<channel>}:<user>` | string, 3 s | he types: when it was published last, and how far he had read |
 * | `parley:node:<node>` | pub/sub | a broker listens to itself |
 * | `parley:limit:<limit>:<user>` | string, TTL | GCRA, for sends: when the allowance is full again, milliseconds |
 * | `parley:calls:<limit>:<user>` | hash, TTL | sliding windows: calls by number of the cell (time / width), of the last 61 cells |
 * | `parley:ticket:<SHA-256>` | string, 30 s | whom a ticket lets in: JSON. The ticket itself is not kept |
 * | `parley:copy:<cache>:<shape>:{<key>}` | string, TTL | a copy of what Postgres said (cache-table.ts says of what) |
 * | `parley:copy:<cache>:<shape>:{<key>}:gen` | string, 1 h | the copy's generation: another one, and a refill that began before is not kept |
 * | `parley:copy:<cache>:{every}:gen` | string, 1 h | that of a whole cache: copies of another one are none |
 * | `parley:copy:<cache>:<shape>:{<key>}:renewal` | string, 10 s | somebody is reading the copy anew |
 *
 * A key of a copy that is no plain word is hashed.
 */
import { createHash } from 'node:crypto';
import { type CopyName, type Limit, PARTITIONS, partitionOf } from '@parley/domain';
import { CACHES } from './cache-table.ts';
import type { CopyKeys } from './copy-store.ts';
import { hashTag } from './hash-tags.ts';

/** Names the keys of one deployment. A *stem* is what the keys of one partition begin with, up to the colon behind the tag. */
export interface Keys {
  readonly stems: readonly string[];
  stemOf(channelId: string): string;
  user(userId: string): string;
  node(nodeId: string): string;
  readonly everybody: string;
  readonly erasures: string;
  limit(limit: Limit, userId: string): string;
  presenceOf(userId: string): string;
  /** The topic. */
  readonly presence: string;
  readonly seen: string;
  /** The topic; what its users said last has keys behind it, in the same slot. */
  typing(channelId: string): string;
  calls(limit: Limit, userId: string): string;
  ticket(hash: string): string;
  copy(name: CopyName, key: string): CopyKeys;
  /** Of all copies of a cache together. */
  everyCopy(name: CopyName): CopyKeys;
}

const PLAIN_KEY = /^[\w:-]{1,150}$/;

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
    everybody: `${prefix}:everybody`,
    erasures: `${prefix}:erasures`,
    limit: (limit, userId) => `${prefix}:limit:${limit}:${userId}`,
    presenceOf: (userId) => `${prefix}:presence:${userId}`,
    presence: `${prefix}:presence`,
    seen: `${prefix}:seen`,
    typing: (channelId) => `${prefix}:typing:{${channelId}}`,
    calls: (limit, userId) => `${prefix}:calls:${limit}:${userId}`,
    ticket: (hash) => `${prefix}:ticket:${hash}`,
    everyCopy: (name) => {
      const copy = `${prefix}:copy:${name}:{every}`;
      return { copy, generation: `${copy}:gen` };
    },
    copy: (name, key) => {
      const word = PLAIN_KEY.test(key) ? key : createHash('sha256').update(key).digest('base64url');
      const copy = `${prefix}:copy:${name}:${CACHES[name].shape}:{${word}}`;
      return { copy, generation: `${copy}:gen` };
    },
  };
}

export const epochKey = (stem: string) => `${stem}epoch`;
export const logKey = (stem: string) => `${stem}log`;
export const cursorsKey = (stem: string) => `${stem}rd`;
export const registerKey = (stem: string) => `${stem}hd`;
export const headerKey = (stem: string, channelId: string) => `${stem}ch:${channelId}`;
export const windowKey = (stem: string, channelId: string) => `${stem}win:${channelId}`;

export const statesKey = (stem: string, channelId: string) => `${stem}st:${channelId}`;

interface Operation {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
}

/** Names the channel: the same id sent to two channels of one partition is two operations. */
export const answerKey = (stem: string, operation: Operation) =>
  `${stem}dd:${operation.channelId}:${operation.actorId}:${operation.operationId}`;
