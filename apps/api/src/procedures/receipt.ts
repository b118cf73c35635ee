import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `receipt.*`. */
export const receiptRouter = router({
  read: procedure
    .input(inputs['receipt.read'])
    .output(answers['receipt.read'])
    .mutation(({ ctx, input }) => ctx.cases['receipt.read'](ctx.session, input)),
  delivered: procedure
    .input(inputs['receipt.delivered'])
    .output(answers['receipt.delivered'])
    .mutation(({ ctx, input }) => ctx.cases['receipt.delivered'](ctx.session, input)),
  list: procedure
    .input(inputs['receipt.list'])
    .output(answers['receipt.list'])
    .query(({ ctx, input }) => ctx.cases['receipt.list'](ctx.session, input)),
});
