import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { setting, until } from '../packages/cache/test/rig.ts';

// Behind the address was another server, with less of the same epoch: a page was read there that lacked what its reader's feed had begun
// after, until the next epoch was agreed on.

it('[EPOCH-76] after a reconnect nothing is read of a channel until the server is agreed on', async () => {
  const owner = randomUUID();
  await using scene = await setting(owner);
  const node = await scene.start();
  await node.log.load(scene.channelId);
  const seen = () => node.views.views(owner, [scene.channelId]);
  const [before] = await seen();
  expect(before).toMatchObject({ rank: 5 });
  const agreement = Promise.withResolvers<void>();
  const locked = scene.ledger.locked.bind(scene.ledger);
  scene.ledger.locked = async (work) => {
    await agreement.promise;
    return locked(work);
  };
  await scene.server.restart();
  await until(() => node.redis.status === 'ready', 'a connection');
  await expect(seen()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  agreement.resolve();
  await until(() => (node.epochs.peek?.epoch ?? 0) > (before?.epoch ?? 0), 'an agreement');
  await until(async () => (await seen().catch(() => 'away')) !== 'away', 'a view');
});

it('[EPOCH-76] control: where the same server comes back, one look is enough', async () => {
  const owner = randomUUID();
  await using scene = await setting(owner);
  const node = await scene.start();
  await node.log.load(scene.channelId);
  scene.ledger.locked = () => new Promise(() => undefined);
  node.redis.disconnect(true);
  const seen = () => node.views.views(owner, [scene.channelId]).catch(() => []);
  await until(async () => (await seen()).length > 0, 'a view');
});
