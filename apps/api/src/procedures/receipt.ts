import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `receipt.*`. */
export const receiptRouter = router({
  read: procedure
    .input(inputs['receipt.read'])
    .output(answers['receipt.read'])
    .mutation(({ ctx, input }) => ctx.cases['receipt.read'](ctx.session, input)),
});
