import type { SessionClaims } from '../ended-session.ts';

/** For whom a ticket was made, and in which session. */
export interface TicketHolder extends SessionClaims {
  readonly userId: string;
  readonly name: string;
  /** When the token ends with which the ticket was asked for, epoch milliseconds. */
  readonly expiresAt: number;
}

/** Tickets open one connection each, once and soon. May be lost with the store that keeps them. `UNAVAILABLE` while it is away. */
export interface Tickets {
  issue(holder: TicketHolder): Promise<{ ticket: string; expiresAt: number }>;
  /** Null: there is no such ticket, any more or at all. The same ticket never gives its holder twice. */
  redeem(ticket: string): Promise<TicketHolder | null>;
}
