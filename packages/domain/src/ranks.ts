import type { Role } from '@parley/protocol';

/** A role as one digit, so that a script can compare two. Kept in Postgres and in the channel's header. */
export const RANKS = { guest: 1, member: 2, moderator: 3, admin: 4, owner: 5 } as const satisfies Record<Role, number>;
export type Rank = (typeof RANKS)[Role];

const ROLES = new Map<number, Role>(Object.entries(RANKS).map(([role, rank]) => [rank, role as Role]));

/** The role of a rank. Throws a RangeError for a number that is none. */
export function roleOf(rank: number): Role {
  const role = ROLES.get(rank);
  if (!role) throw new RangeError(`not a rank: ${rank}`);
  return role;
}

/** The least rank that may do a thing. One table: a procedure asks here, never by itself. */
export const LEAST_RANK = {
  'message.send': RANKS.guest,
  /** Of others: everybody deletes what is his own. */
  'message.delete': RANKS.moderator,
  'channel.update': RANKS.admin,
  'channel.archive': RANKS.admin,
  'channel.invite': RANKS.moderator,
  'member.add': RANKS.moderator,
  'member.remove': RANKS.moderator,
  'member.silence': RANKS.moderator,
} as const satisfies Record<string, Rank>;
