import type { Answer, ChannelSummary, Member, Parsed, User } from '@parley/protocol';
import type { Presence, PresenceSessions, Presences } from './ports/presence.ts';
import { orWhenAway } from './view-channel.ts';

/** How users are now, in the order asked, each once. */
export function getPresence({ presences }: { presences: Presences }) {
  return async ({ userIds }: Parsed<'presence.get'>): Promise<Answer<'presence.get'>> => {
    const found = await presences.of([...new Set(userIds)]);
    return found.map(({ userId, status, lastSeenAt }) => ({ userId, status, lastSeenAt }));
  };
}

/** The caller says how he is. It holds while he has a session; without one he stays offline. */
export function setPresence({ sessions }: { sessions: PresenceSessions }) {
  return async (userId: string, input: Parsed<'presence.set'>): Promise<Answer<'presence.set'>> => {
    const { status, text, lastSeenAt } = await sessions.choose(userId, input);
    return { userId, status, text, lastSeenAt };
  };
}

/**
 * The same users, with how they are now: one pipeline for all of them, and none for nobody. While the cache store is away they are
 * shown as Postgres has them: offline.
 */
export function withPresence(presences: Presences) {
  const over = async <T>(items: readonly T[], { seen, show }: Shown<T>): Promise<T[]> => {
    const userIds = [...new Set(items.flatMap((item) => seen(item).map((user) => user.id)))];
    if (userIds.length === 0) return [...items];
    const found = await orWhenAway(() => presences.of(userIds), []);
    const byId = new Map(found.map((presence) => [presence.userId, presence]));
    return items.map((item) => show(item, (user) => present(user, byId.get(user.id))));
  };
  return {
    users: (users: readonly User[]) => over(users, { seen: (user) => [user], show: (user, see) => see(user) }),
    members: (members: readonly Member[]) =>
      over(members, {
        seen: (member) => [member.user],
        show: (member, see) => ({ ...member, user: see(member.user) }),
      }),
    summaries: (summaries: readonly ChannelSummary[]) =>
      over(summaries, {
        seen: (summary) => summary.members,
        show: (summary, see) => ({ ...summary, members: summary.members.map(see) }),
      }),
  };
}

/** Which users something shows, and how it shows them. */
interface Shown<T> {
  seen(item: T): readonly User[];
  show(item: T, see: (user: User) => User): T;
}

function present(user: User, presence: Presence | undefined): User {
  if (!presence) return user;
  return {
    ...user,
    status: presence.status,
    statusText: presence.text ?? user.statusText,
    lastSeenAt: presence.lastSeenAt ?? user.lastSeenAt,
  };
}
