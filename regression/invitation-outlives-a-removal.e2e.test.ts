import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack } from '../apps/api/test/stack.ts';

// Only `channel.join` forgot an invitation. Whoever was added by somebody else kept his, and came back by it after a removal.

let stack: Stack;
let ada: Chatter;
let bob: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

it('[MEMBER-114] an invitation is void once its user was added, and does not bring him back after a removal', async () => {
  const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [] });
  const [whom, { userId }] = [{ channelId, userIds: [bob.userId] }, bob];
  await ada.trpc.channel.invite.mutate(whom);
  expect(await bob.trpc.channel.invitations.query()).toMatchObject([{ channel: { id: channelId } }]);
  expect(await ada.trpc.member.add.mutate(whom)).toMatchObject({ level: 'persisted' });
  expect(await bob.trpc.channel.invitations.query()).toEqual([]);
  await ada.trpc.member.remove.mutate({ channelId, userId });
  expect(await failureOf(bob.trpc.channel.join.mutate({ channelId }))).toMatchObject({ code: 'NOT_FOUND' });
  // Control: an invitation that is given after the removal counts.
  expect(await ada.trpc.channel.invite.mutate(whom)).toMatchObject({ invited: [userId] });
  expect(await bob.trpc.channel.join.mutate({ channelId })).toMatchObject({ role: 'member' });
});
