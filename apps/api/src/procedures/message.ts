import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `message.*`. */
export const messageRouter = router({
  send: procedure
    .input(inputs['message.send'])
    .output(answers['message.send'])
    .mutation(({ ctx, input }) => ctx.cases['message.send'](ctx.session, input)),
  page: procedure
    .input(inputs['message.page'])
    .output(answers['message.page'])
    .query(({ ctx, input }) => ctx.cases['message.page'](ctx.session, input)),
  get: procedure
    .input(inputs['message.get'])
    .output(answers['message.get'])
    .query(({ ctx, input }) => ctx.cases['message.get'](ctx.session, input)),
});
