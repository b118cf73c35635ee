import { randomUUID } from 'node:crypto';
import { partitionOf, readReceipt } from '@parley/domain';
import { comparePositions, type Position } from '@parley/protocol';
import { startRedis } from '@parley/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { epochKey } from '../packages/cache/src/keys.ts';
import { FakeLedger, FakeSource, keys, member, type Node, sendThrough, startNode } from '../packages/cache/test/rig.ts';

const [owner, ann] = [randomUUID(), randomUUID()] as const;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
let server: Awaited<ReturnType<typeof startRedis>>;
let node: Node;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

// The entries of an older epoch are still in the window, but their m counts rejected ones, too, and a header counts its cursors anew.
it('a read position of an older epoch that is still in the window leaves exactly the unread messages', async () => {
  const channelId = source.add([owner, ann]);
  for (let i = 0; i < 6; i++) await sendThrough(node, channelId, owner);
  const older = ledger.epoch;
  const rejected = 4;
  const persisted = [1, 2, 3, 5, 6].map((n): Position => `${older}-${n}`);
  await node.drain.settle({
    partition: partitionOf(channelId),
    toEpoch: older,
    toK: 5,
    channels: [
      { channelId, upTo: { epoch: older, n: 6, m: 6, at: 1 }, holes: [{ n: rejected, m: rejected }], notices: [] },
    ],
  });
  source.channels.set(channelId, {
    version: 1,
    memberLimit: 100,
    holes: [],
    archivedAt: null,
    deleted: [],
    head: { position: `${older}-6`, m: 6, at: 1 },
    members: [member(owner, { readTo: { position: `${older}-6`, at: 1 } }), member(ann, { unread: persisted.length })],
  });

  await node.redis.del(epochKey(keys.stemOf(channelId)));
  await sendThrough(node, channelId, owner);
  expect(ledger.epoch).toBeGreaterThan(older);
  expect(await node.views.after(channelId, '0-0', 10)).toHaveLength(7);

  const read = readReceipt({
    views: node.views,
    log: node.log,
    archive: {
      countAfter: async (_, position, upTo) =>
        persisted.filter((p) => comparePositions(p, position) > 0 && comparePositions(p, upTo) <= 0).length,
    },
  });
  // 3, 5, 6 and the one of the new epoch.
  expect(await read(ann, { channelId, position: `${older}-2` })).toEqual({ readTo: `${older}-2`, unread: 4 });
  expect(await read(ann, { channelId, position: `${older}-4` })).toEqual({ readTo: `${older}-4`, unread: 3 });
});
