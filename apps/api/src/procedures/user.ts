import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `user.*`. */
export const userRouter = router({
  me: procedure
    .input(inputs['user.me'])
    .output(answers['user.me'])
    .query(({ ctx, input }) => ctx.cases['user.me'](ctx.session, input)),
  get: procedure
    .input(inputs['user.get'])
    .output(answers['user.get'])
    .query(({ ctx, input }) => ctx.cases['user.get'](ctx.session, input)),
});
