import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { startCluster } from '@parley/testing';
import { expect, it } from 'vitest';
import { StockUser, signIn } from '../packages/testing/test/stock-user.ts';

// Two things at the same time: a node died, and the log store was away for a moment. Clients of that node came back to another one, which
// refused to open their feeds, and the stock client does not subscribe again after an error: they heard nothing any more. `npm run chaos`
// found it.

it('[DEG-27] a feed that is resumed while the log store is away goes on when it is back', async () => {
  await using cluster = await startCluster({ apis: 1, workers: 1, migrate });
  const url = cluster.apis[0]?.url ?? '';
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map(async (name) => new StockUser(name, await signIn(url, name), () => url)),
  );
  if (!ada || !bob) throw new Error('two users');
  const inbox = { events: [] as string[], errors: [] as string[] };
  bob.client.feed.inbox.subscribe(undefined, {
    onData: ({ data }) => inbox.events.push(data.type),
    onError: (error) => inbox.errors.push(error.message),
  });
  const { id } = await ada.client.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId] });
  await bob.watch(id);
  await ada.send(id, 'before');
  const [watch] = bob.watches;
  await expect.poll(() => watch?.seen.length, { timeout: 10_000 }).toBe(1);
  await cluster.log.kill();
  // Control: the socket was there, and is another one afterwards.
  expect(bob.cut()).toBe(true);
  await sleep(4_000);
  await cluster.log.restart();
  await ada.send(id, 'after');
  await expect.poll(() => watch?.seen.length, { timeout: 15_000 }).toBe(2);
  await expect.poll(() => inbox.events.filter((type) => type === 'snapshot').length, { timeout: 15_000 }).toBe(2);
  expect([watch?.endings, watch?.resyncs, inbox.errors]).toEqual([[], [], []]);
  await Promise.all([ada, bob].map((user) => user[Symbol.asyncDispose]()));
}, 60_000);
