import { expect, it } from 'vitest';
import { failureOf, startStack } from '../apps/api/test/stack.ts';

// The hint of a new channel came when Postgres did not know the membership yet: the inbox found nothing, and nobody looked again.

it('[MEMBER-116] who is added while nothing is persisted is told of it as soon as Postgres has it', async () => {
  await using stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  const [ada, eve] = [await stack.user('ada'), await stack.user('eve')];
  const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [] });
  const told: string[] = [];
  const inbox = eve.trpc.feed.inbox.subscribe({}, { onData: ({ data }) => told.push(data.type) });
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['snapshot']);
  const added = await ada.trpc.member.add.mutate({ channelId, userIds: [eve.userId] });
  // Control: Postgres does not have it.
  expect(added.level).toBe('accepted');
  expect(await failureOf(eve.trpc.channel.get.query({ channelId }))).toMatchObject({ code: 'UNAVAILABLE' });
  expect(told).toEqual(['snapshot']);
  await stack.startWorker();
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['snapshot', 'channel.added']);
  inbox.unsubscribe();
});
