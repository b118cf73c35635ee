import type { Standing } from './ports/directory.ts';

/** What a token says of its session. */
export interface SessionClaims {
  readonly sid: string | null;
  /** Epoch milliseconds; 0 when the token does not say. */
  readonly issuedAt: number;
}

/**
 * Whether a user's standing ends a session. A token that does not say when it was issued is older than every revocation; one of the
 * very second of it, too, for tokens count in seconds.
 */
export function isEnded(standing: Standing | undefined, { sid, issuedAt }: SessionClaims): boolean {
  if (!standing) return false;
  if (standing.disabledAt !== null || standing.erasedAt !== null) return true;
  if (standing.revokedAt !== null && issuedAt <= standing.revokedAt) return true;
  return sid !== null && standing.revokedSids.includes(sid);
}
