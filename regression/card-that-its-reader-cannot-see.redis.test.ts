import { startRedis } from '@parley/testing';
import { expect, it } from 'vitest';
import { close, connect, createConnection } from '../packages/cache/src/connections.ts';
import { ReadThrough } from '../packages/cache/src/read-through.ts';
import { keys, silent } from '../packages/cache/test/rig.ts';

// A load reads what its own caller may see. Who was removed meanwhile finds nothing, and so did every member who had joined that load:
// the channel was missing from his list, and his inbox told him that he had been removed.

const card = (id: string) => ({ id, name: id, avatarUrl: null, status: 'offline' as const, statusText: null });

it('[CACHE-17] what one caller does not find, another who waited for him looks up himself', async () => {
  await using server = await startRedis({ policy: 'allkeys-lru' });
  const redis = createConnection({ url: server.url, kind: 'cache', timeoutMs: 5_000, log: silent });
  await connect(redis, 10_000);
  const copies = new ReadThrough({ redis, keys });
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const stranger = copies.many('users', ['k'], async () => {
    begun.resolve();
    await gate.promise;
    return new Map();
  });
  await begun.promise;
  const asked: (readonly string[])[] = [];
  const member = copies.many('users', ['k', 'own'], async (missing) => {
    asked.push(missing);
    if (missing.includes('own')) gate.resolve();
    return new Map(missing.map((key) => [key, { value: { ...card(key), lastSeenAt: null }, keep: true }]));
  });
  expect([...(await stranger).keys()]).toEqual([]);
  expect([...(await member).keys()].sort()).toEqual(['k', 'own']);
  // Control: it did wait for him.
  expect(asked).toEqual([['own'], ['k']]);
  await copies.stop();
  await close(redis);
});
