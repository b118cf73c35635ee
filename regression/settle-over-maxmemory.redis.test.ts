import { randomUUID } from 'node:crypto';
import { formatPlace, partitionOf } from '@parley/domain';
import { startRedis } from '@parley/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { headerKey, logKey, windowKey } from '../packages/cache/src/keys.ts';
import { FakeLedger, FakeSource, keys, type Node, send, startNode, until } from '../packages/cache/test/rig.ts';

const owner = randomUUID();
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
let server: Awaited<ReturnType<typeof startRedis>>;
let node: Node;

beforeAll(async () => {
  server = await startRedis({ maxmemory: '64mb' });
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

// A server above its limit refuses a script's first write that needs memory, unless the script is flagged `allow-oom`. Here that is the
// header's mark: refused, nothing is ever trimmed, and a full log store stays full.
it('[PERSIST-66] a log store above its memory limit is still settled whole: log, mark and publication', async () => {
  const channelId = source.add([owner]);
  await node.log.load(channelId);
  const sent = await send(node, channelId, owner);
  if (sent.type !== 'accepted') throw new Error(sent.type);
  const stem = keys.stemOf(channelId);

  await node.redis.set('filling', Buffer.alloc(8_000_000));
  await node.redis.config('SET', 'maxmemory', '4mb');
  await expect(send(node, channelId, owner)).rejects.toMatchObject({ code: 'BACKPRESSURE' });

  const heard: string[] = [];
  const ear = node.redis.duplicate({ lazyConnect: false, enableOfflineQueue: true });
  ear.on('message', (_, line: string) => heard.push(line));
  await ear.subscribe(windowKey(stem, channelId));
  const { place } = sent;
  await node.drain.settle({
    partition: partitionOf(channelId),
    toEpoch: place.epoch,
    toK: 0,
    channels: [{ channelId, upTo: place, holes: [], notices: [] }],
  });

  expect(await node.redis.xlen(logKey(stem))).toBe(0);
  expect(await node.redis.hget(headerKey(stem, channelId), 'p')).toBe('1 1');
  await until(() => heard.length > 0, 'the mark is published');
  expect(heard).toEqual([`1 P ${formatPlace(place)} {"holes":[]}`]);
  ear.disconnect();
});
