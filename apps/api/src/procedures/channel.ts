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
  browse: procedure
    .input(inputs['channel.browse'])
    .output(answers['channel.browse'])
    .query(({ ctx, input }) => ctx.cases['channel.browse'](ctx.session, input)),
  stats: procedure
    .input(inputs['channel.stats'])
    .output(answers['channel.stats'])
    .query(({ ctx, input }) => ctx.cases['channel.stats'](ctx.session, input)),
  update: procedure
    .input(inputs['channel.update'])
    .output(answers['channel.update'])
    .mutation(({ ctx, input }) => ctx.cases['channel.update'](ctx.session, input)),
  archive: procedure
    .input(inputs['channel.archive'])
    .output(answers['channel.archive'])
    .mutation(({ ctx, input }) => ctx.cases['channel.archive'](ctx.session, input)),
  mute: procedure
    .input(inputs['channel.mute'])
    .output(answers['channel.mute'])
    .mutation(({ ctx, input }) => ctx.cases['channel.mute'](ctx.session, input)),
  join: procedure
    .input(inputs['channel.join'])
    .output(answers['channel.join'])
    .mutation(({ ctx, input }) => ctx.cases['channel.join'](ctx.session, input)),
  leave: procedure
    .input(inputs['channel.leave'])
    .output(answers['channel.leave'])
    .mutation(({ ctx, input }) => ctx.cases['channel.leave'](ctx.session, input)),
  invite: procedure
    .input(inputs['channel.invite'])
    .output(answers['channel.invite'])
    .mutation(({ ctx, input }) => ctx.cases['channel.invite'](ctx.session, input)),
  invitations: procedure
    .input(inputs['channel.invitations'])
    .output(answers['channel.invitations'])
    .query(({ ctx, input }) => ctx.cases['channel.invitations'](ctx.session, input)),
});
