import type { IncomingMessage } from 'node:http';
import { Failure, type Limiter } from '@parley/domain';
import { CLOSE_CODES } from '@parley/protocol';
import type { Closing, Connection, Opening } from '@parley/transport';
import { LiveSession } from './auth/live-session.ts';
import type { LiveSessions } from './auth/live-sessions.ts';
import { EndedSession, type Standings } from './auth/standings.ts';
import type { Principal, VerifyToken } from './auth/verify-token.ts';
import type { Session } from './context.ts';
import { checkProtocol } from './protocol-version.ts';
import type { UserConnections } from './user-connections.ts';

/** What both kinds of session stand on. */
export interface SessionDeps {
  readonly verify: VerifyToken;
  readonly standings: Pick<Standings, 'check'>;
  readonly live: Pick<LiveSessions, 'enter'>;
  /** Makes sure that the user has a row. */
  readonly meet: (principal: Principal) => Promise<void>;
  readonly connections: UserConnections;
  readonly limiter: Limiter;
  readonly graceMs: number;
}

/** Who comes in by a socket: it lives as long as his newest token. */
export function openSocketSession(deps: SessionDeps) {
  return async ({ connection, connectionParams }: Opening): Promise<Session> => {
    checkProtocol(connectionParams?.protocol);
    const principal = await deps.verify(connectionParams?.token ?? '');
    const entry = deps.live.enter(principal.userId, principal, () => connection.close(CLOSE_CODES.REVOKED, 'revoked'));
    connection.onClose(() => entry[Symbol.dispose]());
    await admit(deps, principal);
    const leave = deps.connections.enter(principal.userId);
    if (!leave) throw new Failure('RATE_LIMITED', 'too many connections', { retryAfterMs: 5_000 });
    const live = new LiveSession(principal, {
      verify: verifyOpen(deps),
      graceMs: deps.graceMs,
      onRenewed: (newer) => entry.renew(newer),
      onExpired: () => connection.close(CLOSE_CODES.TOKEN_EXPIRED, 'token expired'),
    });
    connection.onClose(() => {
      leave();
      live[Symbol.dispose]();
    });
    connection.setIdentity({ userId: principal.userId, ...(principal.sid !== null && { sid: principal.sid }) });
    live.run();
    return socketSession(live, connection);
  };
}

function socketSession(live: LiveSession, connection: Connection): Session {
  return {
    userId: live.userId,
    name: live.name,
    gate: connection.gate,
    holdFeed: () => connection.holdFeed(),
    refresh: (token) => live.refresh(token),
    ticket: noTicket,
  };
}

/** Who asks over HTTP: each request says it anew, and is charged for every call in it. */
export function openHttpSession(deps: SessionDeps) {
  return async (request: IncomingMessage, calls: number): Promise<Session> => {
    checkProtocol(request.headers['x-parley-protocol']);
    const [scheme = '', token] = (request.headers.authorization ?? '').split(' ');
    const principal = await deps.verify(scheme.toLowerCase() === 'bearer' ? (token ?? '') : '');
    await admit(deps, principal);
    const { userId, name } = principal;
    const taken = await Promise.all(Array.from({ length: calls }, () => deps.limiter.take('http.query', userId)));
    const refused = taken.find(({ allowed }) => !allowed);
    if (refused) throw new Failure('RATE_LIMITED', 'too many requests', { retryAfterMs: refused.retryAfterMs });
    return { userId, name, refresh: (newer) => checkNewer(verifyOpen(deps), userId, newer), ticket: noTicket };
  };
}

const noTicket = () => Promise.reject(new Failure('UNAVAILABLE', 'not there yet'));

/** Lets the caller in, unless his session was ended, and makes sure that he has a row. */
async function admit({ standings, meet }: SessionDeps, principal: Principal): Promise<void> {
  await standings.check(principal.userId, principal);
  await meet(principal);
}

/** Verifies a token, and that its session was not ended. */
function verifyOpen({ verify, standings }: SessionDeps): VerifyToken {
  return async (token) => {
    const principal = await verify(token);
    await standings.check(principal.userId, principal);
    return principal;
  };
}

/** There is no connection to extend, but the answer is the same. */
async function checkNewer(verify: VerifyToken, userId: string, token: string): Promise<{ expiresAt: number }> {
  const principal = await verify(token);
  if (principal.userId !== userId) throw new Failure('UNAUTHENTICATED', 'the token is of another user');
  return { expiresAt: principal.expiresAt };
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
