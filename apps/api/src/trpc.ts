import { initTRPC } from '@trpc/server';
import type { Context } from './context.ts';
import { formatError } from './error-shape.ts';

/** A stream says something this often; a client that heard nothing for longer comes anew. */
const STREAM = { pingMs: 15_000, deadAfterMs: 40_000 };

const t = initTRPC.context<Context>().create({
  isDev: false,
  errorFormatter: formatError,
  sse: {
    ping: { enabled: true, intervalMs: STREAM.pingMs },
    client: { reconnectAfterInactivityMs: STREAM.deadAfterMs },
  },
});

export const { router } = t;
/** Every procedure has a caller: an unauthenticated one gets no context. */
export const { procedure } = t;
