import type { AnyRouter } from '@trpc/server';
import { applyWSSHandler, type WSSHandlerOptions } from '@trpc/server/adapters/ws';
import { applySocketHandler } from '../../src/index.ts';

/** What an adapter gives back. */
export interface Applied {
  broadcastReconnectNotification(): void;
}

/** A socket adapter for tRPC, by name. */
export interface Adapter {
  readonly name: string;
  readonly apply: <TRouter extends AnyRouter>(options: WSSHandlerOptions<TRouter>) => Applied;
}

/** The one whose behaviour is the measure. */
export const STOCK: Adapter = { name: 'stock', apply: applyWSSHandler };

/** The one that the socket door uses. */
export const OURS: Adapter = { name: 'ours', apply: applySocketHandler };
