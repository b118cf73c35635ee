import { createKeys } from '@parley/cache';
import { ENTRY_KINDS, type LogLine, parseLine, parsePlace, partitionOf, positionOf } from '@parley/domain';
import { comparePositions } from '@parley/protocol';
import type { Redis } from '../doctor/redis-facts.ts';
import type { Happening, Subject } from './timeline.ts';

/** What an entry is called. */
export const KIND_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ENTRY_KINDS).map(([name, kind]) => [kind, name]),
);

interface Payload {
  readonly id: string;
  readonly channelId: string;
  readonly senderId?: string;
  readonly actorId?: string;
  readonly clientMsgId?: string;
  readonly messageId?: string;
}

const payloadOf = (line: LogLine) => JSON.parse(line.json) as Payload;

/** The entries that wait in every partition's log for Postgres, oldest first. */
async function waiting(redis: Redis, prefix: string): Promise<LogLine[]> {
  const streams = await Promise.all(createKeys(prefix).stems.map((stem) => redis.xrange(`${stem}log`, '-', '+')));
  return streams.flat().flatMap(([, fields]) => parseLine(fields[1] ?? '') ?? []);
}

/** A message that Postgres does not have yet. */
export async function findWaiting(redis: Redis, prefix: string, messageId: string): Promise<Subject | null> {
  const lines = await waiting(redis, prefix);
  const line = lines.find((one) => one.kind === ENTRY_KINDS.created && payloadOf(one).id === messageId);
  return line ? subjectOf(line) : null;
}

/** What the channel's window has at a position. */
export async function findInWindow(redis: Redis, prefix: string, at: Pick<Subject, 'channelId' | 'position'>) {
  const key = `${createKeys(prefix).stemOf(at.channelId)}win:${at.channelId}`;
  const [entry] = await redis.xrange(key, at.position, at.position);
  const line = parseLine(entry?.[1][1] ?? '');
  return line && subjectOf(line);
}

function subjectOf(line: LogLine): Subject {
  const payload = payloadOf(line);
  const isMessage = line.kind === ENTRY_KINDS.created;
  return {
    channelId: payload.channelId,
    position: positionOf(line),
    title: isMessage ? `message ${payload.id}` : `entry "${KIND_NAMES[line.kind] ?? line.kind}"`,
    messageId: isMessage ? payload.id : null,
    senderId: payload.senderId ?? payload.actorId ?? null,
    operationId: payload.clientMsgId ?? payload.id,
  };
}

/** What the log store says of an entry. */
export async function logHappenings(redis: Redis, prefix: string, subject: Subject): Promise<Happening[]> {
  const { channelId, position, messageId, senderId, operationId } = subject;
  const stem = createKeys(prefix).stemOf(channelId);
  const by = `log store, partition ${partitionOf(channelId)}`;
  const is = (what: string): Happening => ({ at: null, by, what });
  const lines = (await waiting(redis, prefix)).filter((line) => payloadOf(line).channelId === channelId);
  const entry = lines.find((line) => positionOf(line) === position);
  const [inWindow] = await redis.xrange(`${stem}win:${channelId}`, position, position);
  const found: Happening[] = [is(entry ? 'it waits in the log for Postgres' : 'it is not in the log (any more)')];
  found.push(is(inWindow ? "it is in the channel's window" : "it is not in the channel's window (any more)"));
  if (entry) found.push({ at: entry.place.at, by, what: `accepted: taken into the log, by ${senderId}` });
  for (const line of lines) {
    const { messageId: target, actorId } = payloadOf(line);
    if (messageId === null || target !== messageId) continue;
    const what = `${KIND_NAMES[line.kind] ?? line.kind} at ${positionOf(line)} by ${actorId}, which waits for Postgres`;
    found.push({ at: line.place.at, by, what });
  }
  const answer = operationId && (await redis.pttl(`${stem}dd:${channelId}:${senderId}:${operationId}`));
  if (answer && answer > 0) {
    found.push(is(`the answer to ${operationId} is remembered for ${Math.round(answer / 1_000)} s more`));
  }
  return [...found, ...(await headerHappenings(redis, stem, { subject, is }))];
}

interface HeaderQuestion {
  readonly subject: Subject;
  readonly is: (what: string) => Happening;
}

async function headerHappenings(redis: Redis, stem: string, { subject, is }: HeaderQuestion): Promise<Happening[]> {
  const header = await redis.hgetall(`${stem}ch:${subject.channelId}`);
  const head = parsePlace(header.s ?? '');
  if (!head) return [is("the channel's header is not loaded")];
  const found = [is(`the channel's head is ${head.epoch}-${head.n}`)];
  for (const [field, text] of Object.entries(header)) {
    const [, kind, userId] = /^([rd]):(.+)$/.exec(field) ?? [];
    const place = kind && parsePlace(text);
    if (!place || comparePositions(`${place.epoch}-${place.n}`, subject.position) < 0) continue;
    found.push(is(`${userId} has it ${kind === 'r' ? 'read' : 'delivered'}, up to ${place.epoch}-${place.n}`));
  }
  return found;
}
