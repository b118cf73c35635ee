import type { TicketHolder } from '@parley/domain';
import { CLOSE_CODES } from '@parley/protocol';
import type { Connection, Opening } from '@parley/transport';
import { LiveSession, type LiveSessionDeps } from './auth/live-session.ts';
import type { LiveEntry } from './auth/live-sessions.ts';
import type { Principal } from './auth/verify-token.ts';
import type { Session } from './context.ts';
import { checkProtocol } from './protocol-version.ts';
import { admit, enter, issueTicket, type SessionDeps, verifyOpen } from './sessions.ts';

/** Who comes in by a socket. */
export function openSocketSession(deps: SessionDeps) {
  return async ({ connection, connectionParams }: Opening): Promise<Session> => {
    checkProtocol(connectionParams?.protocol);
    const principal = await deps.verify(connectionParams?.token ?? '');
    const session = new SocketSession(deps, connection, principal);
    await session.run(principal);
    return session;
  };
}

/** The session of one socket: it lives as long as its newest token. One object, not a function for each of its parts: there are many. */
class SocketSession implements Session, LiveSessionDeps {
  readonly userId: string;
  readonly name: string;
  readonly #deps: SessionDeps;
  readonly #connection: Connection;
  readonly #entry: LiveEntry;
  readonly #live: LiveSession;
  /** In which session the newest token is. */
  #newest: TicketHolder;

  /** Counts from here on among those that are ended when their user's standing changes; `run` says whether it may begin. */
  constructor(deps: SessionDeps, connection: Connection, principal: Principal) {
    this.userId = principal.userId;
    this.name = principal.name;
    this.#deps = deps;
    this.#connection = connection;
    this.#newest = holderOf(principal);
    this.#live = new LiveSession(principal, this);
    this.#entry = deps.live.enter(this.userId, this.#newest, () => connection.close(CLOSE_CODES.REVOKED, 'revoked'));
    connection.onClose(() => this.#entry[Symbol.dispose]());
  }

  /** Throws when the user is not let in. */
  async run(principal: Principal): Promise<void> {
    await admit(this.#deps, principal);
    const leave = enter(this.#deps, this.userId);
    this.#connection.onClose(() => {
      leave();
      this.#live[Symbol.dispose]();
    });
    this.#connection.setIdentity({ userId: this.userId, ...(principal.sid !== null && { sid: principal.sid }) });
    this.#live.run();
  }

  get graceMs(): number {
    return this.#deps.graceMs;
  }

  holdFeed(): boolean {
    return this.#connection.holdFeed();
  }

  releaseFeed(): void {
    this.#connection.releaseFeed();
  }

  refresh(token: string): Promise<{ expiresAt: number }> {
    return this.#live.refresh(token);
  }

  ticket(): Promise<{ ticket: string; expiresAt: number }> {
    return issueTicket(this.#deps, { ...this.#newest, expiresAt: this.#live.expiresAt });
  }

  verify(token: string): Promise<Principal> {
    return verifyOpen(this.#deps)(token);
  }

  onRenewed(newer: Principal): void {
    this.#entry.renew(newer);
    if (newer.issuedAt >= this.#newest.issuedAt) this.#newest = holderOf(newer);
  }

  onExpired(): void {
    this.#connection.close(CLOSE_CODES.TOKEN_EXPIRED, 'token expired');
  }
}

/** Without what nobody asks for again. */
function holderOf({ userId, name, sid, issuedAt, expiresAt }: Principal): TicketHolder {
  return { userId, name, sid, issuedAt, expiresAt };
}
