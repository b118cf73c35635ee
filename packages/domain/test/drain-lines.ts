import {
  formatPlace,
  type LoggedEntry,
  type LogPlace,
  type PartitionCursor,
  parseLine,
  partitionOf,
} from '../src/index.ts';

/** Ids that are readable in a failure: `id(1, 7)` is user 7. */
export function id(kind: number, n: number): string {
  return `${kind.toString(16).padStart(8, '0')}-0000-8000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const EPOCH = 1_700_000_000;

/** Channels of one partition, found by search. */
export function channelsOf(partition: number, count: number): string[] {
  const found: string[] = [];
  for (let n = 1; found.length < count; n++) if (partitionOf(id(12, n)) === partition) found.push(id(12, n));
  return found;
}

export function place(n: number, m = n, epoch = EPOCH): LogPlace {
  return { epoch, n, m, at: 1_000 + n };
}

export function createdJson(channelId: string, n: number, change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id: id(2, n),
    channelId,
    clientMsgId: id(3, n),
    senderId: id(1, 1),
    body: `message ${n}`,
    replyTo: null,
    threadOf: null,
    attachmentIds: [],
    mentions: [],
    encrypted: null,
    ...change,
  });
}

export function memberJson(channelId: string, n: number, change: Record<string, unknown> = {}): string {
  const names = { version: n, id: id(4, n), channelId, actorId: id(1, 1), userId: id(1, 2), rank: 2, name: 'Ada' };
  return JSON.stringify({ ...names, ...change });
}

export function line(kind: string, at: LogPlace, json: string): string {
  return `1 ${kind} ${formatPlace(at)} ${json}`;
}

export function logged(partition: number, k: number, text: string): LoggedEntry {
  return { partition, epoch: parseLine(text)?.place.epoch ?? EPOCH, k, line: text };
}

export function cursor(partition: number, readK = -1, readEpoch = readK < 0 ? 0 : EPOCH): PartitionCursor {
  return { partition, epoch: EPOCH, readEpoch, readK: Math.max(readK, 0) };
}
