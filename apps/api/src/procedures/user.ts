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
  search: procedure
    .input(inputs['user.search'])
    .output(answers['user.search'])
    .query(({ ctx, input }) => ctx.cases['user.search'](ctx.session, input)),
  contacts: procedure
    .input(inputs['user.contacts'])
    .output(answers['user.contacts'])
    .query(({ ctx, input }) => ctx.cases['user.contacts'](ctx.session, input)),
  settings: procedure
    .input(inputs['user.settings'])
    .output(answers['user.settings'])
    .query(({ ctx, input }) => ctx.cases['user.settings'](ctx.session, input)),
  update: procedure
    .input(inputs['user.update'])
    .output(answers['user.update'])
    .mutation(({ ctx, input }) => ctx.cases['user.update'](ctx.session, input)),
  block: procedure
    .input(inputs['user.block'])
    .output(answers['user.block'])
    .mutation(({ ctx, input }) => ctx.cases['user.block'](ctx.session, input)),
  unblock: procedure
    .input(inputs['user.unblock'])
    .output(answers['user.unblock'])
    .mutation(({ ctx, input }) => ctx.cases['user.unblock'](ctx.session, input)),
});
