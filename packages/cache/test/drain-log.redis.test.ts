import { randomUUID } from 'node:crypto';
import { partitionOf } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraves, createSilence, createWindowPurge } from '../src/index.ts';
import { epochKey, headerKey, logKey, windowKey } from '../src/keys.ts';
import { FakeLedger, FakeSource, keys, type Node, putEpochBack, send, settleAll, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const owner = randomUUID();

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function channelWith(messages: number): Promise<string> {
  const channelId = source.add([owner]);
  await node.log.load(channelId);
  for (let i = 0; i < messages; i++) await send(node, channelId, owner);
  return channelId;
}

/** Lines that are published in a channel while `work` runs. */
async function published(channelId: string, work: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const ear = node.redis.duplicate({ lazyConnect: false, enableOfflineQueue: true });
  await ear.subscribe(windowKey(keys.stemOf(channelId), channelId));
  ear.on('message', (_, line: string) => lines.push(line));
  await work();
  await ear.ping();
  ear.disconnect();
  return lines;
}

const windowLength = (channelId: string) => node.redis.xlen(windowKey(keys.stemOf(channelId), channelId));

describe('drain log', () => {
  it('[PERSIST-62] entries come in order after the cursor, k dense from 0 within an epoch, with the store’s epoch', async () => {
    const channelId = await channelWith(5);
    const partition = partitionOf(channelId);
    const cursor = { partition, epoch: ledger.epoch, readEpoch: 0, readK: 0 };
    const [read] = await node.drain.read([cursor], 3);
    expect(read).toMatchObject({ partition, epoch: ledger.epoch });
    expect(read?.entries.map((entry) => [entry.epoch, entry.k])).toEqual([0, 1, 2].map((k) => [ledger.epoch, k]));
    const [rest] = await node.drain.read([{ ...cursor, readEpoch: ledger.epoch, readK: 2 }], 100);
    expect(rest?.entries.map((entry) => entry.k)).toEqual([3, 4]);
    await settleAll(node, ledger, channelId);
    await send(node, channelId, owner);
    const [next] = await node.drain.read([{ ...cursor, readEpoch: ledger.epoch, readK: 4 }], 100);
    expect(next?.entries.map((entry) => entry.k)).toEqual([5]);
  });

  it('a partition whose epoch is gone says so', async () => {
    const channelId = await channelWith(1);
    const stem = keys.stemOf(channelId);
    await node.redis.del(epochKey(stem));
    const [read] = await node.drain.read([{ partition: partitionOf(channelId), epoch: 0, readEpoch: 0, readK: 0 }], 10);
    expect(read?.epoch).toBeNull();
    await putEpochBack(node, stem, ledger.epoch);
  });

  it('the age of the oldest entry is the store’s own time', async () => {
    const channelId = await channelWith(1);
    const busy = partitionOf(channelId);
    const idle = (busy + 1) % 64;
    await settleAll(node, ledger, channelId);
    expect(await node.drain.oldestAgeMs([busy, idle])).toEqual([null, null]);
    await send(node, channelId, owner);
    const [age] = await node.drain.oldestAgeMs([busy]);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(5_000);
    await settleAll(node, ledger, channelId);
  });

  it('[PERSIST-63] a window loses nothing that is not settled, and keeps its last 200 once it is', async () => {
    const channelId = await channelWith(250);
    expect(await windowLength(channelId)).toBe(250);
    const partition = partitionOf(channelId);
    const upTo = { epoch: ledger.epoch, n: 20, m: 20, at: 1 };
    await node.drain.settle({ partition, toEpoch: 0, toK: 0, channels: [{ channelId, upTo, holes: [], notices: [] }] });
    expect(await windowLength(channelId)).toBe(230);
    await settleAll(node, ledger, channelId);
    expect(await windowLength(channelId)).toBe(200);
  });

  it('[PERSIST-64] the mark is published with every hole below it, after the notices, and never goes back', async () => {
    const channelId = await channelWith(5);
    const partition = partitionOf(channelId);
    const settle = (n: number, holes: { n: number; m: number }[], notices: string[] = []) => {
      const channels = [{ channelId, upTo: { epoch: ledger.epoch, n, m: n, at: 7 }, holes, notices }];
      return node.drain.settle({ partition, toEpoch: 0, toK: 0, channels });
    };
    const e = ledger.epoch;
    const notice = `1 H ${e}-2 2 7 {"by":null}`;
    const lines = await published(channelId, async () => {
      await settle(3, [{ n: 2, m: 2 }], [notice]);
      await settle(3, [{ n: 2, m: 2 }]);
      await settle(5, [{ n: 4, m: 0 }]);
      await settle(1, []);
    });
    expect(lines).toEqual([
      notice,
      `1 P ${e}-3 3 7 {"holes":["${e}-2"]}`,
      `1 P ${e}-3 3 7 {"holes":["${e}-2"]}`,
      `1 P ${e}-5 5 7 {"holes":["${e}-2","${e}-4"]}`,
      `1 P ${e}-5 5 7 {"holes":["${e}-2","${e}-4"]}`,
    ]);
  });

  it('[PERSIST-66] a settlement that fails leaves the log as it was, and is made up for by the next', async () => {
    const channelId = await channelWith(2);
    const stem = keys.stemOf(channelId);
    const header = headerKey(stem, channelId);
    const waiting = await node.redis.xlen(logKey(stem));
    await node.redis.hset(header, 'p', 'no mark');
    await expect(settleAll(node, ledger, channelId)).rejects.toThrow('user_script');
    expect(await node.redis.xlen(logKey(stem))).toBe(waiting);
    await node.redis.hset(header, 'p', '0 0');
    await settleAll(node, ledger, channelId);
    expect(await node.redis.xlen(logKey(stem))).toBe(0);
    expect(await node.redis.hget(header, 'p')).toBe('2 2');
  });

  it('a mark of another epoch leaves the header and the window alone', async () => {
    const channelId = await channelWith(3);
    const header = headerKey(keys.stemOf(channelId), channelId);
    const before = await node.redis.hgetall(header);
    const upTo = { epoch: ledger.epoch - 1, n: 900, m: 900, at: 7 };
    const lines = await published(channelId, () =>
      node.drain.settle({
        partition: partitionOf(channelId),
        toEpoch: 0,
        toK: 0,
        channels: [{ channelId, upTo, holes: [{ n: 9, m: 9 }], notices: [] }],
      }),
    );
    expect(lines).toEqual([`1 P ${upTo.epoch}-900 900 7 {"holes":["${upTo.epoch}-9"]}`]);
    expect(await node.redis.hgetall(header)).toEqual(before);
    expect(await windowLength(channelId)).toBe(3);
  });

  it('[FAN-61] publications of a channel come in the order of their positions', async () => {
    const channelId = await channelWith(0);
    const lines = await published(channelId, () =>
      Promise.all(Array.from({ length: 100 }, () => send(node, channelId, owner))),
    );
    expect(lines).toEqual(await node.views.after(channelId, '0-0', 1_000));
    expect(lines).toHaveLength(100);
  });

  it('[PERSIST-65] every script call keeps to one slot', async () => {
    const calls: string[][] = [];
    const ear = await node.redis.monitor();
    ear.on('monitor', (_: string, command: string[]) => calls.push(command));
    const channelId = await channelWith(2);
    await node.views.read({ channelId, userId: owner, position: `${ledger.epoch}-1` });
    await node.log.forgetAnswer({ channelId, actorId: owner, operationId: 'x', position: '1-1' });
    await node.drain.cursorsFlushed(partitionOf(channelId), [
      { channelId, userId: owner, readTo: null, deliveredTo: null },
    ]);
    await settleAll(node, ledger, channelId);
    const at = { store: node.store, keys };
    await createSilence({ ...at, log: node.log })({ channelId, userId: owner, untilMs: 0 });
    await createWindowPurge(at).purge(owner, [channelId]);
    await createGraves(at).bury(channelId);
    await node.redis.ping();
    ear.disconnect();
    const scripts = calls.filter(([name]) => /^eval/i.test(name ?? ''));
    expect(scripts.length).toBeGreaterThanOrEqual(9);
    for (const [, , count, ...rest] of scripts) {
      const tags = rest.slice(0, Number(count)).map((key) => /^parley:\{(\d+)\}:/.exec(key)?.[1]);
      expect(new Set(tags)).toEqual(new Set([/\{(\d+)\}/.exec(keys.stemOf(channelId))?.[1]]));
    }
  });
});
