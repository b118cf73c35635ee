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
  expectTypeOf<Input<'feed.channel'>>().toExtend<In['feed']['channel']>();
  expectTypeOf<Out['message']['send']>().toExtend<Answer<'message.send'>>();
  expectTypeOf<Out['message']['page']>().toExtend<Answer<'message.page'>>();
  expectTypeOf<Out['channel']['create']>().toExtend<Answer<'channel.create'>>();
  expectTypeOf<Out['channel']['get']>().toExtend<Answer<'channel.get'>>();
  expectTypeOf<Out['user']['me']>().toExtend<Answer<'user.me'>>();
  expectTypeOf<Out['receipt']['read']>().toExtend<Answer<'receipt.read'>>();
  expectTypeOf<Out['feed']['channel']>().toExtend<AsyncIterable<{ id: string; data: ChannelEvent }>>();
  expectTypeOf<Out['feed']['inbox']>().toExtend<AsyncIterable<{ id: string; data: InboxEvent }>>();
  // @ts-expect-error A control: the compiler does see a difference.
  expectTypeOf<Out['user']['me']>().toExtend<Answer<'message.send'>>();
});
