import { hash, randomUUID } from 'node:crypto';
import type { ChannelIds, OperationIds } from '@parley/domain';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID that a kind and its parts name: SHA-256, cut to a version 8 UUID. The same on every node, in every version. */
export function uuidOf(kind: string, ...parts: readonly string[]): string {
  // Lengths keep ['ab', 'c'] and ['a', 'bc'] apart, whatever the parts hold.
  const hex = hash('sha256', [kind, ...parts].map((part) => `${part.length}:${part}`).join(''));
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The user that a token's `sub` means: itself, if it is a UUID in lower case. */
export function userIdOf(sub: string): string {
  return UUID.test(sub) ? sub : uuidOf('user', sub);
}

/** A UUID in one piece: as Node gives it, it is a rope of some twenty strings, which takes 0.8 KiB for as long as it is kept. */
export function freshId(): string {
  return Buffer.from(randomUUID()).toString('latin1');
}

/** Ids of messages and member changes. */
export const operationIds: OperationIds = {
  message: (channelId, senderId, clientMsgId) => uuidOf('message', channelId, senderId, clientMsgId),
  memberChange: (operationId, userId) => uuidOf('member', operationId, userId),
  fresh: () => randomUUID(),
};

/** Ids of channels. */
export const channelIds: ChannelIds = {
  direct: (oneId, otherId) => uuidOf('direct', ...[oneId, otherId].sort()),
  named: (creatorId, clientId) => uuidOf('channel', creatorId, clientId),
  fresh: () => randomUUID(),
};
