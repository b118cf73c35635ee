import type { IncomingMessage } from 'node:http';
import { Failure, type Limiter, type PresenceSessions } from '@parley/domain';
import { CLOSE_CODES } from '@parley/protocol';
import type { Closing, Connection, Opening } from '@parley/transport';
import { LiveSession } from './auth/live-session.ts';
import type { Principal, VerifyToken } from './auth/verify-token.ts';
import type { Session } from './context.ts';
import { checkProtocol } from './protocol-version.ts';
import type { UserConnections } from './user-connections.ts';

/** What both kinds of session stand on. */
export interface SessionDeps {
  readonly verify: VerifyToken;
  /** Makes sure that the user has a row. */
  readonly meet: (principal: Principal) => Promise<void>;
  readonly connections: UserConnections;
  readonly limiter: Limiter;
  readonly presence: Pick<PresenceSessions, 'begin'>;
  readonly graceMs: number;
}

/** Who comes in by a socket: it lives as long as his newest token. */
export function openSocketSession(deps: SessionDeps) {
  return async ({ connection, connectionParams }: Opening): Promise<Session> => {
    checkProtocol(connectionParams?.protocol);
    const principal = await welcome(deps, connectionParams?.token);
    const leave = deps.connections.enter(principal.userId);
    if (!leave) throw new Failure('RATE_LIMITED', 'too many connections', { retryAfterMs: 5_000 });
    const live = new LiveSession(principal, {
      verify: deps.verify,
      graceMs: deps.graceMs,
      onExpired: () => connection.close(CLOSE_CODES.TOKEN_EXPIRED, 'token expired'),
    });
    const end = deps.presence.begin(principal.userId);
    connection.onClose(() => {
      leave();
      end();
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
    const principal = await welcome(deps, scheme.toLowerCase() === 'bearer' ? token : undefined);
    const { userId, name } = principal;
    const taken = await Promise.all(Array.from({ length: calls }, () => deps.limiter.take('http.query', userId)));
    const refused = taken.find(({ allowed }) => !allowed);
    if (refused) throw new Failure('RATE_LIMITED', 'too many requests', { retryAfterMs: refused.retryAfterMs });
    return { userId, name, refresh: (newer) => checkNewer(deps.verify, userId, newer), ticket: noTicket };
  };
}

const noTicket = () => Promise.reject(new Failure('UNAVAILABLE', 'not there yet'));

async function welcome({ verify, meet }: SessionDeps, token: string | undefined): Promise<Principal> {
  const principal = await verify(token ?? '');
  await meet(principal);
  return principal;
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
