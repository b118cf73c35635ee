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
