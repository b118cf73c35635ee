import { initTRPC } from '@trpc/server';
import type { Context } from './context.ts';
import { formatError } from './error-shape.ts';

const t = initTRPC.context<Context>().create({ isDev: false, errorFormatter: formatError });

export const { router } = t;
/** Every procedure has a caller: an unauthenticated one gets no context. */
export const { procedure } = t;
