import type { EverybodyHint } from './ports/everybody-hints.ts';
import type { UserHint } from './ports/user-hints.ts';

const TYPES: ReadonlySet<string> = new Set(['channel.added', 'channel.removed', 'channel.invited']);

/**
 * Reads what `Broker.tellUser` carried: only a reason to look at the channel, never how it is now. Null when it is of a kind that this
 * build does not know. Throws a SyntaxError when it is not JSON.
 */
export function parseUserHint(json: string): Pick<UserHint, 'type' | 'channelId'> | null {
  const hint = JSON.parse(json) as Partial<UserHint> | null;
  if (!hint?.type || !TYPES.has(hint.type)) return null;
  return typeof hint.channelId === 'string' ? { type: hint.type, channelId: hint.channelId } : null;
}

const IDS = {
  announcement: 'announcementId',
  'user.standing': 'userId',
  'user.erased': 'userId',
  'channel.deleted': 'channelId',
} as const satisfies Record<EverybodyHint['type'], string>;

/** Reads what was told to every node; null when it is of a kind that this build does not know. Throws a SyntaxError when it is not JSON. */
export function parseEverybodyHint(json: string): EverybodyHint | null {
  const hint = JSON.parse(json) as (Partial<EverybodyHint> & Record<string, unknown>) | null;
  const id = hint?.type && IDS[hint.type];
  // Written by `EverybodyHints` of this build or a later one, which only adds.
  return hint && id && typeof hint[id] === 'string' ? (hint as EverybodyHint) : null;
}
