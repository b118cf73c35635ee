import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `session.*`: about the connection itself. */
export const sessionRouter = router({
  ticket: procedure
    .input(inputs['session.ticket'])
    .output(answers['session.ticket'])
    .mutation(({ ctx }) => ctx.session.ticket()),
  refresh: procedure
    .input(inputs['session.refresh'])
    .output(answers['session.refresh'])
    .mutation(({ ctx, input }) => ctx.session.refresh(input.token)),
});
