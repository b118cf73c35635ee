import type { Server } from 'node:http';
import type { Log, Metrics } from '@parley/runtime';
import type { AnyRouter, inferRouterContext, TRPCError } from '@trpc/server';
import type { Connection } from './connection.ts';
import type { DrainOptions } from './drain.ts';
import type { GuardRules } from './guard.ts';
import type { DoorLimits } from './limits.ts';

/** What `createContext` works from. */
export interface Opening {
  readonly connection: Connection;
  readonly connectionParams: Readonly<Record<string, string | undefined>> | null;
  /** Aborted when the socket closes. */
  readonly signal: AbortSignal;
}

/** How a socket is closed. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** What went wrong in a call, for the log. `path` is missing when it was in no procedure. */
export interface CallError {
  readonly error: TRPCError;
  readonly path: string | undefined;
  readonly type: string;
  readonly ctx: unknown;
}

/** How a socket door is made. */
export interface SocketDoorOptions<TRouter extends AnyRouter> extends GuardRules {
  readonly server: Server;
  /** Its `errorFormatter` is what stands between internal texts and clients. */
  readonly router: TRouter;
  /** Makes the context of a connection's calls, and says who it is by `connection.setIdentity`. Throwing refuses the connection. */
  createContext(opening: Opening): Promise<inferRouterContext<TRouter>> | inferRouterContext<TRouter>;
  /** How a connection is closed whose context could not be made. Before that the client is sent the error. */
  refused(error: unknown): Closing;
  /** How a connection is closed that did not say in time who it is. */
  readonly unidentified: Closing;
  /** With which code a reader that is too slow is closed. */
  readonly slowCode: number;
  readonly limits?: Partial<DoorLimits>;
  /** The pings by which a dead peer is found. */
  readonly keepAlive?: { readonly pingMs: number; readonly pongWaitMs: number };
  readonly drain?: DrainOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  onConnection?(connection: Connection): void;
  onError?(failure: CallError): void;
}
