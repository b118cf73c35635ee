import {
  type AmendPayload,
  type ChannelPayload,
  type CreatedPayload,
  ENTRY_KINDS,
  type MemberPayload,
} from './log-line.ts';
import { RANKS } from './ranks.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const CHANNEL = /"channelId":"([^"\\]*)"/;

/** Whether a text is an id as the stores know it. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/**
 * What a payload that cannot be read still says about itself: enough to record its hole. In a valid payload the first match is the
 * field itself, because quotes inside a body are escaped.
 */
export function salvageChannelId(json: string): string | null {
  const found = CHANNEL.exec(json)?.[1];
  return isId(found) ? found : null;
}

/** Reads the payload of a `created` entry; null when a field is missing or of another shape. Whether Postgres takes it is its to say. */
export function readCreated(json: string): CreatedPayload | null {
  const found = readObject(json);
  if (!found || ![found.id, found.channelId, found.clientMsgId, found.senderId].every(isId)) return null;
  if (typeof found.body !== 'string' || !isIdOrNull(found.replyTo) || !isIdOrNull(found.threadOf)) return null;
  if (!isListOfIds(found.attachmentIds) || !isListOfIds(found.mentions) || !isEnvelope(found.encrypted)) return null;
  // Every field was looked at above; the compiler does not follow checks through a record of unknowns.
  return found as unknown as CreatedPayload;
}

/** Reads the payload of a member entry; null when a field is missing or of another shape. */
export function readMember(json: string): MemberPayload | null {
  const found = readObject(json);
  if (!found || ![found.id, found.channelId, found.actorId, found.userId].every(isId)) return null;
  if (!Number.isSafeInteger(found.version) || typeof found.name !== 'string' || !isRankOrNull(found.rank)) return null;
  if (found.silencedUntil !== undefined && !isTime(found.silencedUntil)) return null;
  // As above: every field was looked at.
  return found as unknown as MemberPayload;
}

/** Reads the payload of an `edited`, `deleted` or `reacted` entry; null when a field is missing or of another shape. */
export function readAmended(json: string, kind: string): AmendPayload | null {
  const found = readObject(json);
  if (!found || ![found.id, found.channelId, found.actorId, found.messageId].every(isId)) return null;
  const state = asRecord(found.state);
  if (!state || typeof state.body !== 'string' || !isTimeOrNull(state.editedAt) || !isTimeOrNull(state.deletedAt))
    return null;
  if (kind === ENTRY_KINDS.reacted) {
    const reaction = asRecord(found.reaction);
    if (typeof reaction?.emoji !== 'string' || typeof reaction.added !== 'boolean') return null;
  }
  // As above: every field that is written was looked at.
  return found as unknown as AmendPayload;
}

/** Reads the payload of a `changed` entry; null when a field is missing or of another shape. */
export function readChannel(json: string): ChannelPayload | null {
  const found = readObject(json);
  if (!found || ![found.id, found.channelId, found.actorId].every(isId)) return null;
  const state = asRecord(found.state);
  if (!state || !Number.isSafeInteger(found.version) || !isTimeOrNull(state.archivedAt)) return null;
  if (![state.name, state.topic, state.avatarUrl].every(isTextOrNull)) return null;
  // As above: every field that is written was looked at.
  return found as unknown as ChannelPayload;
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isTimeOrNull(value: unknown): boolean {
  return value === null || isTime(value);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

function readObject(json: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(json);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null;
  } catch {
    // Not JSON: the caller makes a dead letter of it, with the line as it is.
    return null;
  }
}

function isIdOrNull(value: unknown): boolean {
  return value === null || isId(value);
}

function isListOfIds(value: unknown): boolean {
  return Array.isArray(value) && value.every(isId);
}

function isRankOrNull(value: unknown): boolean {
  return value === null || (typeof value === 'number' && value >= RANKS.guest && value <= RANKS.owner);
}

function isEnvelope(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { ciphertext, nonce, ephemeralPublicKey } = value as Record<string, unknown>;
  return [ciphertext, nonce, ephemeralPublicKey].every((part) => typeof part === 'string');
}
