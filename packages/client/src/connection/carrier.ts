import type { TRPCLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import type { Store } from '../store.ts';
import type { ConnectionState, ConnectionStatus } from './connection-status.ts';

/** What carries calls and feeds to the server. */
export interface Carrier {
  readonly links: TRPCLink<AnyTRPCRouter>[];
  readonly state: Store<ConnectionState>;
  /** The server answered: it takes us. */
  proven(): void;
  stop(): void;
}

/** Stands in front of a carrier's own links: once it is stopped, calls and feeds end at once instead of going on. */
export function gateOf(status: ConnectionStatus): TRPCLink<AnyTRPCRouter> {
  return () => (call) =>
    observable((observer) => {
      if (!status.isStopped) return call.next(call.op).subscribe(observer);
      return observer.complete();
    });
}
