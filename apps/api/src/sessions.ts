import { Failure, type Limiter, type PresenceSessions, type TicketHolder, type Tickets } from '@parley/domain';
import { CLOSE_CODES } from '@parley/protocol';
import type { Closing, Connection, Opening } from '@parley/transport';
import { LiveSession } from './auth/live-session.ts';
import type { Principal, VerifyToken } from './auth/verify-token.ts';
import type { Session } from './context.ts';
import { checkProtocol } from './protocol-version.ts';
import type { UserConnections } from './user-connections.ts';

/** What every kind of session stands on. */
export interface SessionDeps {
  readonly verify: VerifyToken;
  /** Makes sure that the user has a row. */
  readonly meet: (principal: Principal) => Promise<void>;
  readonly connections: UserConnections;
  readonly limiter: Limiter;
  readonly presence: Pick<PresenceSessions, 'begin'>;
  readonly tickets: Tickets;
  readonly graceMs: number;
}

/** Who comes in by a socket: it lives as long as his newest token. */
export function openSocketSession(deps: SessionDeps) {
  return async ({ connection, connectionParams }: Opening): Promise<Session> => {
    checkProtocol(connectionParams?.protocol);
    const principal = await welcome(deps, connectionParams?.token);
    const leave = enter(deps, principal.userId);
    const live = new LiveSession(principal, {
      verify: deps.verify,
      graceMs: deps.graceMs,
      onExpired: () => connection.close(CLOSE_CODES.TOKEN_EXPIRED, 'token expired'),
    });
    connection.onClose(() => {
      leave();
      live[Symbol.dispose]();
    });
    connection.setIdentity({ userId: principal.userId, ...(principal.sid !== null && { sid: principal.sid }) });
    live.run();
    return socketSession(deps, { live, connection, sid: principal.sid });
  };
}

interface SocketParts {
  readonly live: LiveSession;
  readonly connection: Connection;
  readonly sid: string | null;
}

function socketSession(deps: SessionDeps, { live, connection, sid }: SocketParts): Session {
  return {
    userId: live.userId,
    name: live.name,
    gate: connection.gate,
    holdFeed: () => connection.holdFeed(),
    refresh: (token) => live.refresh(token),
    ticket: () => issueTicket(deps, { userId: live.userId, name: live.name, sid, expiresAt: live.expiresAt }),
  };
}

/** Checks a token, and makes sure that its user is known. */
export async function welcome({ verify, meet }: SessionDeps, token: string | undefined): Promise<Principal> {
  const principal = await verify(token ?? '');
  await meet(principal);
  return principal;
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
