import type { IncomingMessage } from 'node:http';
import { Failure, type TicketHolder } from '@parley/domain';
import type { HttpOpening, StreamConnection } from '@parley/transport';
import { LiveSession } from './auth/live-session.ts';
import type { VerifyToken } from './auth/verify-token.ts';
import type { Session } from './context.ts';
import { checkProtocol } from './protocol-version.ts';
import { admit, enter, issueTicket, type SessionDeps, verifyOpen } from './sessions.ts';

/** Who asks over HTTP: each request says it anew, by a token in its head and never in its URL. A stream may say it by a ticket. */
export function openHttpSession(deps: SessionDeps) {
  return async ({ req, info, stream }: HttpOpening): Promise<Session> => {
    const { url, connectionParams, calls } = info;
    const params = url?.searchParams ?? new URLSearchParams();
    refuseTokens(params);
    checkProtocol(req.headers['x-parley-protocol'] ?? params.get('protocol') ?? connectionParams?.protocol);
    const ticket = params.get('ticket') ?? connectionParams?.ticket;
    if (stream && ticket) return streamSession(deps, stream, await redeem(deps, ticket, stream));
    const caller = await callerOf(deps, req.headers.authorization);
    const { allowed, retryAfterMs } = await deps.limiter.take('http.query', caller.userId, calls.length);
    if (!allowed) throw new Failure('RATE_LIMITED', 'too many requests', { retryAfterMs });
    return stream ? streamSession(deps, stream, caller) : callSession(deps, caller);
  };
}

/** Who asks for a file, by a token in the head of his request: it costs as much as a call. */
export function openFileSession(deps: SessionDeps) {
  return async ({ headers }: IncomingMessage): Promise<Session> => {
    const caller = await callerOf(deps, headers.authorization);
    const { allowed, retryAfterMs } = await deps.limiter.take('http.query', caller.userId, 1);
    if (!allowed) throw new Failure('RATE_LIMITED', 'too many requests', { retryAfterMs });
    return callSession(deps, caller);
  };
}

/** URLs are written into logs all along the way. What a user searches for is his own affair. */
function refuseTokens(params: URLSearchParams): void {
  for (const [name, value] of params) {
    if (name !== 'input' && JWT.test(value)) throw new Failure('UNAUTHENTICATED', 'a token does not belong in a URL');
  }
}

const JWT = /eyJ[\w-]*\.[\w-]+\.[\w-]*/;
const TICKET = /^[\w-]{43}$/;

async function callerOf(deps: SessionDeps, authorization = ''): Promise<TicketHolder> {
  const [scheme = '', token = ''] = authorization.split(' ');
  const principal = await deps.verify(scheme.toLowerCase() === 'bearer' ? token : '');
  await admit(deps, principal);
  return principal;
}

/**
 * A browser that lost its stream asks for the same URL again. Its ticket is used up, as is one that took too long on its way: both are
 * asked to come with a new one, which a stock client does by itself.
 */
async function redeem(deps: SessionDeps, ticket: string, stream: StreamConnection): Promise<TicketHolder> {
  if (!TICKET.test(ticket)) throw new Failure('UNAUTHENTICATED', 'this is no ticket');
  const holder = await deps.tickets.redeem(ticket);
  if (holder && holder.expiresAt + deps.graceMs > Date.now()) return holder;
  stream.renew();
  throw new Failure('TOKEN_EXPIRED', 'the ticket is used up');
}

/** A stream counts as a connection, and lives as long as its session and the token with which its ticket was asked for. */
async function streamSession(deps: SessionDeps, stream: StreamConnection, caller: TicketHolder): Promise<Session> {
  const entry = deps.live.enter(caller.userId, caller, () => stream.destroy());
  stream.onClose(() => entry[Symbol.dispose]());
  await deps.standings.check(caller.userId, caller);
  const leave = enter(deps, caller.userId);
  const live = new LiveSession(caller, {
    verify: verifyOpen(deps),
    graceMs: deps.graceMs,
    onRenewed: (newer) => entry.renew(newer),
    onExpired: () => stream.renew(),
  });
  stream.onClose(() => {
    leave();
    live[Symbol.dispose]();
  });
  live.run();
  return { ...callSession(deps, caller), refresh: (token) => live.refresh(token) };
}

function callSession(deps: SessionDeps, caller: TicketHolder): Session {
  const { userId, name, sid, issuedAt, expiresAt } = caller;
  return {
    userId,
    name,
    refresh: (newer) => checkNewer(verifyOpen(deps), userId, newer),
    ticket: () => issueTicket(deps, { userId, name, sid, issuedAt, expiresAt }),
  };
}

/** There is no connection to extend, but the answer is the same. */
async function checkNewer(verify: VerifyToken, userId: string, token: string): Promise<{ expiresAt: number }> {
  const principal = await verify(token);
  if (principal.userId !== userId) throw new Failure('UNAUTHENTICATED', 'the token is of another user');
  return { expiresAt: principal.expiresAt };
}
