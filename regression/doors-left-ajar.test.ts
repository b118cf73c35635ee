import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlOf } from '../apps/api/test/admin-rig.ts';
import { type Chatter, failureOf, type Stack, startStack } from '../apps/api/test/stack.ts';

let stack: Stack;
let ada: Chatter;
let bob: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob] = [await stack.user('ada'), await stack.user('bob')];
});
afterAll(() => stack?.[Symbol.asyncDispose]());

// Asked to make it again, it was found for whoever had made it, name and topic of today included.
test('[DEDUP-25] who has left a channel that he made is not shown it when he makes it again', async () => {
  const group = { kind: 'group' as const, name: 'ours', memberIds: [bob.userId], clientId: randomUUID() };
  const { id: channelId } = await ada.trpc.channel.create.mutate(group);
  expect((await ada.trpc.channel.create.mutate(group)).id).toBe(channelId);
  await ada.trpc.channel.leave.mutate({ channelId });
  expect(await failureOf(ada.trpc.channel.create.mutate(group))).toMatchObject({ code: 'FORBIDDEN' });
});

// Nothing could be sent with it, and it took its place in the storage for a day.
test('[CHAN-2] nothing is uploaded to an archived channel', async () => {
  const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'old', memberIds: [] });
  const file = { channelId, fileName: 'a.txt', contentType: 'text/plain', byteSize: 1 };
  expect(await ada.trpc.attachment.create.mutate(file)).toMatchObject({ attachmentId: expect.any(String) });
  await ada.trpc.channel.archive.mutate({ channelId, archived: true });
  expect(await failureOf(ada.trpc.attachment.create.mutate(file))).toMatchObject({ code: 'FORBIDDEN' });
});

// Whoever knew his id from a blank message made a row of his, for ever.
test('[ADMIN-42] nobody invites or blocks an erased user', async () => {
  const gone = await stack.user('gone');
  const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [] });
  await sqlOf(stack, 'insert into user_standing (user_id, erased_at) values ($1, 1)', [gone.userId]);
  const { invited } = await ada.trpc.channel.invite.mutate({ channelId, userIds: [gone.userId, bob.userId] });
  expect(invited).toEqual([bob.userId]);
  await ada.trpc.user.block.mutate({ userId: gone.userId });
  expect(await sqlOf(stack, 'select 1 from blocks where blocked_id = $1', [gone.userId])).toEqual([]);
});
