import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `reaction.*`. */
export const reactionRouter = router({
  add: procedure
    .input(inputs['reaction.add'])
    .output(answers['reaction.add'])
    .mutation(({ ctx, input }) => ctx.cases['reaction.add'](ctx.session, input)),
  remove: procedure
    .input(inputs['reaction.remove'])
    .output(answers['reaction.remove'])
    .mutation(({ ctx, input }) => ctx.cases['reaction.remove'](ctx.session, input)),
});
