import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { sqlOf, startAdmin, until } from '../apps/api/test/admin-rig.ts';
import { startStack, text } from '../apps/api/test/stack.ts';

// An erasure blanks messages without moving their channels' heads, so copies that are valid by a head went on showing them.

it('[ADMIN-55] what an erased user said is in no copy that anybody is shown, also where it was found before', async () => {
  await using stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  await using admin = await startAdmin(stack);
  const [leaver, reader] = [await stack.user('leaver'), await stack.user('reader')];
  const group = { kind: 'group' as const, name: 'g', memberIds: [leaver.userId] };
  const { id } = await reader.trpc.channel.create.mutate(group);
  const words = `words${randomUUID().slice(0, 8)}`;
  await leaver.trpc.message.send.mutate({ ...text(id, words), ack: 'persisted' });
  const find = async () => (await reader.trpc.message.search.query({ query: words })).items.length;
  expect(await find()).toBe(1);
  // Control: the second time Postgres is not asked, so a copy outlives what it copies.
  await sqlOf(stack, "update messages set body = 'something else' where body = $1", [words]);
  expect(await find()).toBe(1);
  await sqlOf(stack, "update messages set body = $1 where body = 'something else'", [words]);
  await admin.call(`POST /v1/users/${leaver.userId}/erase`);
  const erasure = () => admin.call(`GET /v1/users/${leaver.userId}/erasure`);
  await until(erasure, ({ body }) => Boolean(body.completedAt), 'the erasure is done');
  await until(find, (found) => found === 0, 'it is not found');
});
