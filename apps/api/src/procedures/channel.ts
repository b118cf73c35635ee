import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `channel.*`. */
export const channelRouter = router({
  create: procedure
    .input(inputs['channel.create'])
    .output(answers['channel.create'])
    .mutation(({ ctx, input }) => ctx.cases['channel.create'](ctx.session, input)),
  list: procedure
    .input(inputs['channel.list'])
    .output(answers['channel.list'])
    .query(({ ctx, input }) => ctx.cases['channel.list'](ctx.session, input)),
  get: procedure
    .input(inputs['channel.get'])
    .output(answers['channel.get'])
    .query(({ ctx, input }) => ctx.cases['channel.get'](ctx.session, input)),
});
