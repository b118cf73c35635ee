import type { Role } from '@parley/protocol';

/** Lowest first. */
const ROLES: readonly Role[] = ['guest', 'member', 'moderator', 'admin', 'owner'];

export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** The roles that somebody of this role may give: those below his own, and an owner's also to others. The server has the last word. */
export function givenBy(role: Role): readonly Role[] {
  if (role === 'owner') return ROLES;
  return isAtLeast(role, 'moderator') ? ROLES.slice(0, ROLES.indexOf(role)) : [];
}
