import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `typing.*`. */
export const typingRouter = router({
  set: procedure
    .input(inputs['typing.set'])
    .output(answers['typing.set'])
    .mutation(({ ctx, input }) => ctx.cases['typing.set'](ctx.session, input)),
});
