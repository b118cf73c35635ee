import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `message.*`. */
export const messageRouter = router({
  send: procedure
    .input(inputs['message.send'])
    .output(answers['message.send'])
    .mutation(({ ctx, input }) => ctx.cases['message.send'](ctx.session, input)),
  edit: procedure
    .input(inputs['message.edit'])
    .output(answers['message.edit'])
    .mutation(({ ctx, input }) => ctx.cases['message.edit'](ctx.session, input)),
  delete: procedure
    .input(inputs['message.delete'])
    .output(answers['message.delete'])
    .mutation(({ ctx, input }) => ctx.cases['message.delete'](ctx.session, input)),
  page: procedure
    .input(inputs['message.page'])
    .output(answers['message.page'])
    .query(({ ctx, input }) => ctx.cases['message.page'](ctx.session, input)),
  thread: procedure
    .input(inputs['message.thread'])
    .output(answers['message.thread'])
    .query(({ ctx, input }) => ctx.cases['message.thread'](ctx.session, input)),
  get: procedure
    .input(inputs['message.get'])
    .output(answers['message.get'])
    .query(({ ctx, input }) => ctx.cases['message.get'](ctx.session, input)),
  search: procedure
    .input(inputs['message.search'])
    .output(answers['message.search'])
    .query(({ ctx, input }) => ctx.cases['message.search'](ctx.session, input)),
});
