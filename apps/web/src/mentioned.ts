import type { Member } from '@parley/protocol';
import { MENTIONS_MAX } from '@parley/protocol';

/** Whom a text means: the members whose names stand in it after an `@`. */
export function mentionedIn(body: string, members: readonly Member[]): string[] {
  const text = body.toLocaleLowerCase();
  const meant = members.filter(({ user }) => text.includes(`@${user.name.toLocaleLowerCase()}`));
  return meant.map((member) => member.userId).slice(0, MENTIONS_MAX);
}
