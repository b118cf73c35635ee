import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `presence.*`. */
export const presenceRouter = router({
  set: procedure
    .input(inputs['presence.set'])
    .output(answers['presence.set'])
    .mutation(({ ctx, input }) => ctx.cases['presence.set'](ctx.session, input)),
  get: procedure
    .input(inputs['presence.get'])
    .output(answers['presence.get'])
    .query(({ ctx, input }) => ctx.cases['presence.get'](ctx.session, input)),
});
