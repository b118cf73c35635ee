import { answers, inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** The procedures `attachment.*`. */
export const attachmentRouter = router({
  create: procedure
    .input(inputs['attachment.create'])
    .output(answers['attachment.create'])
    .mutation(({ ctx, input }) => ctx.cases['attachment.create'](ctx.session, input)),
  complete: procedure
    .input(inputs['attachment.complete'])
    .output(answers['attachment.complete'])
    .mutation(({ ctx, input }) => ctx.cases['attachment.complete'](ctx.session, input)),
  url: procedure
    .input(inputs['attachment.url'])
    .output(answers['attachment.url'])
    .query(({ ctx, input }) => ctx.cases['attachment.url'](ctx.session, input)),
});
