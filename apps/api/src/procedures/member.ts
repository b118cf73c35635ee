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
  setRole: procedure
    .input(inputs['member.setRole'])
    .output(answers['member.setRole'])
    .mutation(({ ctx, input }) => ctx.cases['member.setRole'](ctx.session, input)),
  silence: procedure
    .input(inputs['member.silence'])
    .output(answers['member.silence'])
    .mutation(({ ctx, input }) => ctx.cases['member.silence'](ctx.session, input)),
  list: procedure
    .input(inputs['member.list'])
    .output(answers['member.list'])
    .query(({ ctx, input }) => ctx.cases['member.list'](ctx.session, input)),
});
