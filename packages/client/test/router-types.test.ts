import type { AppRouter } from '@parley/api/router';
import type { Answer, ChannelEvent, InboxEvent, Input } from '@parley/protocol';
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import { expectTypeOf, test } from 'vitest';

type In = inferRouterInputs<AppRouter>;
type Out = inferRouterOutputs<AppRouter>;

// The checks are the compiler's: this file runs so that the rule counts as tested where types are checked in the same run.
test('[CLIENT-25] what the client sends and reads is what the router takes and gives', () => {
  expectTypeOf<Input<'message.send'>>().toExtend<In['message']['send']>();
  expectTypeOf<Input<'message.page'>>().toExtend<In['message']['page']>();
  expectTypeOf<Input<'channel.create'>>().toExtend<In['channel']['create']>();
  expectTypeOf<Input<'receipt.read'>>().toExtend<In['receipt']['read']>();
  expectTypeOf<Input<'message.edit'>>().toExtend<In['message']['edit']>();
  expectTypeOf<Input<'reaction.add'>>().toExtend<In['reaction']['add']>();
  expectTypeOf<Input<'member.add'>>().toExtend<In['member']['add']>();
  expectTypeOf<Input<'member.setRole'>>().toExtend<In['member']['setRole']>();
  expectTypeOf<Input<'channel.update'>>().toExtend<In['channel']['update']>();
  expectTypeOf<Input<'channel.join'>>().toExtend<In['channel']['join']>();
  expectTypeOf<Input<'presence.get'>>().toExtend<In['presence']['get']>();
  expectTypeOf<Input<'typing.set'>>().toExtend<In['typing']['set']>();
  expectTypeOf<Input<'receipt.delivered'>>().toExtend<In['receipt']['delivered']>();
  expectTypeOf<Input<'feed.channel'>>().toExtend<In['feed']['channel']>();
  expectTypeOf<Out['message']['send']>().toExtend<Answer<'message.send'>>();
  expectTypeOf<Out['message']['page']>().toExtend<Answer<'message.page'>>();
  expectTypeOf<Out['channel']['create']>().toExtend<Answer<'channel.create'>>();
  expectTypeOf<Out['channel']['get']>().toExtend<Answer<'channel.get'>>();
  expectTypeOf<Out['user']['me']>().toExtend<Answer<'user.me'>>();
  expectTypeOf<Out['receipt']['read']>().toExtend<Answer<'receipt.read'>>();
  expectTypeOf<Out['message']['edit']>().toExtend<Answer<'message.edit'>>();
  expectTypeOf<Out['message']['thread']>().toExtend<Answer<'message.thread'>>();
  expectTypeOf<Out['message']['search']>().toExtend<Answer<'message.search'>>();
  expectTypeOf<Out['reaction']['add']>().toExtend<Answer<'reaction.add'>>();
  expectTypeOf<Out['member']['add']>().toExtend<Answer<'member.add'>>();
  expectTypeOf<Out['member']['list']>().toExtend<Answer<'member.list'>>();
  expectTypeOf<Out['channel']['join']>().toExtend<Answer<'channel.join'>>();
  expectTypeOf<Out['channel']['update']>().toExtend<Answer<'channel.update'>>();
  expectTypeOf<Out['channel']['browse']>().toExtend<Answer<'channel.browse'>>();
  expectTypeOf<Out['channel']['invitations']>().toExtend<Answer<'channel.invitations'>>();
  expectTypeOf<Out['presence']['get']>().toExtend<Answer<'presence.get'>>();
  expectTypeOf<Out['feed']['channel']>().toExtend<AsyncIterable<{ id: string; data: ChannelEvent }>>();
  expectTypeOf<Out['feed']['inbox']>().toExtend<AsyncIterable<{ id: string; data: InboxEvent }>>();
  // @ts-expect-error A control: the compiler does see a difference.
  expectTypeOf<Out['user']['me']>().toExtend<Answer<'message.send'>>();
});
