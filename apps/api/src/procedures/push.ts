import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `push.*`. */
export const pushRouter = router({
  key: procedure
    .input(inputs['push.key'])
    .output(answers['push.key'])
    .query(({ ctx, input }) => ctx.cases['push.key'](ctx.session, input)),
  subscribe: procedure
    .input(inputs['push.subscribe'])
    .output(answers['push.subscribe'])
    .mutation(({ ctx, input }) => ctx.cases['push.subscribe'](ctx.session, input)),
  unsubscribe: procedure
    .input(inputs['push.unsubscribe'])
    .output(answers['push.unsubscribe'])
    .mutation(({ ctx, input }) => ctx.cases['push.unsubscribe'](ctx.session, input)),
});
