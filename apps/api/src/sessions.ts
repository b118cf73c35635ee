import { Failure, type Limiter, type PresenceSessions, type TicketHolder, type Tickets } from '@parley/domain';
import { CLOSE_CODES } from '@parley/protocol';
import type { Closing } from '@parley/transport';
import type { LiveSessions } from './auth/live-sessions.ts';
import { EndedSession, type Standings } from './auth/standings.ts';
import type { Principal, VerifyToken } from './auth/verify-token.ts';
import type { UserConnections } from './user-connections.ts';

/** What every kind of session stands on. */
export interface SessionDeps {
  readonly verify: VerifyToken;
  readonly standings: Pick<Standings, 'check'>;
  readonly live: Pick<LiveSessions, 'enter'>;
  /** Makes sure that the user has a row. */
  readonly meet: (principal: Principal) => Promise<void>;
  readonly connections: UserConnections;
  readonly limiter: Limiter;
  readonly presence: Pick<PresenceSessions, 'begin'>;
  readonly tickets: Tickets;
  readonly graceMs: number;
}

/** Lets the caller in, unless his session was ended, and makes sure that he has a row. */
export async function admit({ standings, meet }: SessionDeps, principal: Principal): Promise<void> {
  await standings.check(principal.userId, principal);
  await meet(principal);
}

/** Verifies a token, and that its session was not ended. */
export function verifyOpen({ verify, standings }: SessionDeps): VerifyToken {
  return async (token) => {
    const principal = await verify(token);
    await standings.check(principal.userId, principal);
    return principal;
  };
}

/** Counts one more connection of the user, who is there meanwhile, and gives the function that counts it off. */
export function enter(
  { connections, presence }: Pick<SessionDeps, 'connections' | 'presence'>,
  userId: string,
): () => void {
  const leave = connections.enter(userId);
  if (!leave) throw new Failure('RATE_LIMITED', 'too many connections', { retryAfterMs: 5_000 });
  const end = presence.begin(userId);
  return () => {
    leave();
    end();
  };
}

/** A ticket for who holds a valid token. */
export async function issueTicket(deps: Pick<SessionDeps, 'limiter' | 'tickets'>, holder: TicketHolder) {
  const { allowed, retryAfterMs } = await deps.limiter.take('session.ticket', holder.userId);
  if (!allowed) throw new Failure('RATE_LIMITED', 'too many tickets', { retryAfterMs });
  return deps.tickets.issue(holder);
}

/** How a socket is closed that was not let in: by the code the client knows whether to come back. */
export function closingOf(error: unknown): Closing {
  const code = error instanceof Failure ? error.code : null;
  if (error instanceof Failure && error.cause instanceof EndedSession) {
    return { code: CLOSE_CODES.REVOKED, reason: 'revoked' };
  }
  switch (code) {
    case 'TOKEN_EXPIRED':
      return { code: CLOSE_CODES.TOKEN_EXPIRED, reason: 'token expired' };
    case 'UNAUTHENTICATED':
      return { code: CLOSE_CODES.UNAUTHENTICATED, reason: 'unauthenticated' };
    case 'RATE_LIMITED':
      return { code: CLOSE_CODES.TOO_MANY, reason: 'too many connections' };
    case 'PROTOCOL':
      return { code: CLOSE_CODES.PROTOCOL_TOO_OLD, reason: 'protocol' };
    default:
      return { code: CLOSE_CODES.RESTART, reason: 'try again' };
  }
}
