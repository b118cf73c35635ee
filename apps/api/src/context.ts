import type { Answer, answers, ChannelEvent, FailureData, InboxEvent, Parsed } from '@parley/protocol';
import type { TRPCDefaultErrorShape, TrackedEnvelope } from '@trpc/server';

// The router's type carries this file to clients: it names nothing but the protocol and tRPC.

/** Who calls. */
export interface Session {
  readonly userId: string;
  readonly name: string;
  /** Counts a feed of this connection; false: it holds as many as it may. */
  holdFeed?(): boolean;
  /** Counts one off again: once for each that was counted. */
  releaseFeed?(): void;
  /** Takes a newer token of the same user; the connection lives as long as that one. */
  refresh(token: string): Promise<{ expiresAt: number }>;
  /** Makes what opens one SSE connection of this user, once and soon. */
  ticket(): Promise<{ ticket: string; expiresAt: number }>;
}

/** Every procedure that is neither a feed nor about the connection itself. */
export type CasePath = Exclude<keyof typeof answers, 'session.refresh' | 'session.ticket'>;

/** What the procedures call, by path. */
export type Cases = {
  readonly [K in CasePath]: (session: Pick<Session, 'userId' | 'name'>, input: Parsed<K>) => Promise<Answer<K>>;
};

/** What the subscriptions call. */
export interface Feeds {
  channel(
    session: Session,
    input: Parsed<'feed.channel'>,
    signal: AbortSignal,
  ): AsyncIterable<TrackedEnvelope<ChannelEvent>>;
  inbox(session: Session, input: Parsed<'feed.inbox'>, signal: AbortSignal): AsyncIterable<TrackedEnvelope<InboxEvent>>;
}

/** What a procedure is given. */
export interface Context {
  readonly session: Session;
  readonly cases: Cases;
  readonly feeds: Feeds;
}

/** A failed call as clients see it: never a stack, never an internal text. */
export interface ErrorShape extends TRPCDefaultErrorShape {
  readonly data: Omit<TRPCDefaultErrorShape['data'], 'stack'> & { readonly parley: FailureData };
}
