import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `member.*`. */
export const memberRouter = router({
  add: procedure
    .input(inputs['member.add'])
    .output(answers['member.add'])
    .mutation(({ ctx, input }) => ctx.cases['member.add'](ctx.session, input)),
  remove: procedure
    .input(inputs['member.remove'])
    .output(answers['member.remove'])
    .mutation(({ ctx, input }) => ctx.cases['member.remove'](ctx.session, input)),
  list: procedure
    .input(inputs['member.list'])
    .output(answers['member.list'])
    .query(({ ctx, input }) => ctx.cases['member.list'](ctx.session, input)),
});
