import { setTimeout as sleep } from 'node:timers/promises';
import { createKeys } from '@parley/cache';
import { formatPosition, type Position } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kick, type RealNode, type RealRig, say, startRig } from './feed-rig.ts';

const LONG_MS = 20_000;

describe('two nodes on one Redis and one Postgres', () => {
  let rig: RealRig;
  let nodes: [RealNode, RealNode];
  let ann: string;
  let bob: string;

  beforeAll(async () => {
    rig = await startRig();
    nodes = [await rig.node(), await rig.node()];
    ann = await rig.user('ann');
    bob = await rig.user('bob');
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  test('[ORD-71] the subscribers are killed again and again: no gap, no repeat, on any node', async () => {
    const channelId = await rig.channel(ann, [bob]);
    const watchers = nodes.map((node) => node.follow(channelId, bob));
    await Promise.all(watchers.map((reader) => reader.until(() => reader.events.length > 0, LONG_MS)));
    const wanderer: string[] = [];
    const told: string[] = [];
    let last: Position = '0-0';
    for (let i = 1; i <= 300; i++) {
      const node = nodes[i % 2 === 0 ? 0 : 1];
      await say(node, channelId, { senderId: ann, body: `${i}` });
      told.push(`${i}`);
      if (i % 40 === 0) await rig.redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
      if (i % 30 === 0) await rig.drain();
      if (i % 60 !== 0) continue;
      // One who always comes to the other node and takes up what he saw last.
      const reader = node.follow(channelId, bob, last);
      await reader.until(() => wanderer.length + reader.bodies().length === i, LONG_MS);
      wanderer.push(...reader.bodies());
      last = (reader.events.at(-1)?.id ?? last) as Position;
      await reader.leave();
    }
    for (const reader of watchers) {
      await reader.until(() => reader.bodies().length >= told.length, LONG_MS);
      expect(reader.bodies()).toEqual(told);
      expect(reader.types()).not.toContain('resync');
    }
    expect(wanderer).toEqual(told);
    await rig.drain();
    await watchers[0]?.until((reader) => reader.types().includes('message.persisted'), LONG_MS);
    await Promise.all(watchers.map((reader) => reader.leave()));
    for (const { hub } of nodes) expect(hub.size).toEqual({ channels: 0, listeners: 0 });
  }, 60_000);

  test('[FAN-74] the last publication before a silence is lost with its connection, and found', async () => {
    const channelId = await rig.channel(ann, [bob]);
    const reader = nodes[0].follow(channelId, bob);
    await reader.until(() => reader.events.length > 0, LONG_MS);
    await rig.redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await say(nodes[1], channelId, { senderId: ann, body: 'unheard' });
    await reader.until(() => reader.bodies().length === 1, LONG_MS);
    await reader.leave();
  }, 60_000);

  test('[EPOCH-73] a message and its mark were unheard, and a worker is long in tidying up after its epoch: found soon after', async () => {
    const channelId = await rig.channel(ann, [bob]);
    const reader = nodes[0].follow(channelId, bob);
    await reader.until(() => reader.events.length > 0, LONG_MS);
    const stem = createKeys('parley').stemOf(channelId);
    const [log, kept] = [`${stem}log`, `${stem}kept`];
    await rig.redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await say(nodes[1], channelId, { senderId: ann, body: 'unheard' });
    await rig.redis('COPY', log, kept);
    await rig.drain();
    // The settlement after the commit was lost with the epoch.
    await rig.redis('RENAME', kept, log);
    await rig.redis('DEL', `${stem}epoch`);
    for (const node of nodes) await node.log.renew();
    // Longer than the load of a header is patient.
    await sleep(4_000);
    await rig.redis('DEL', log);
    // Well before heads are compared for no reason.
    await reader.until(() => reader.bodies().length === 1, LONG_MS);
    await reader.leave();
  }, 60_000);

  test('[MEMBER-72] a kick on one node ends the feed on the other', async () => {
    const channelId = await rig.channel(ann, [bob]);
    const reader = nodes[0].follow(channelId, bob);
    await reader.until(() => reader.events.length > 0, LONG_MS);
    await say(nodes[1], channelId, { senderId: ann, body: 'before' });
    const place = await kick(nodes[1], channelId, { actorId: ann, userId: bob });
    await say(nodes[1], channelId, { senderId: ann, body: 'after' });
    await reader.ended;
    expect(reader.failure).toMatchObject({ code: 'NOT_FOUND' });
    expect(reader.bodies()).toEqual(['before']);
    expect(reader.events.at(-1)?.id).toBe(formatPosition(place));
    const again = nodes[0].follow(channelId, bob, '0-0');
    await again.ended;
    expect(again.events).toEqual([]);
  }, 60_000);

  test('[PERSIST-71] a watch sees the mark of the worker', async () => {
    const channelId = await rig.channel(ann, [bob]);
    using watch = await nodes[0].hub.watch(channelId);
    const place = await say(nodes[1], channelId, { senderId: ann, body: 'x' });
    const waiting = watch.until(formatPosition(place), LONG_MS);
    await sleep(50);
    await rig.drain();
    expect(await waiting).toBe(true);
  }, 60_000);

  test('[EPOCH-71] [EPOCH-72] the log store forgets everything: what was persisted goes on, what was lost is told', async () => {
    const channelId = await rig.channel(ann, [bob]);
    const reader = nodes[0].follow(channelId, bob);
    await reader.until(() => reader.events.length > 0, LONG_MS);
    await say(nodes[1], channelId, { senderId: ann, body: '1' });
    await rig.drain();
    await reader.until(() => reader.types().includes('message.persisted'), LONG_MS);
    await rig.redis('FLUSHALL');
    await say(nodes[1], channelId, { senderId: ann, body: '2' });
    await reader.until(() => reader.bodies().length === 2, LONG_MS);
    expect(reader.types()).not.toContain('resync');
    await rig.redis('FLUSHALL');
    await say(nodes[1], channelId, { senderId: ann, body: '3' });
    await reader.until(() => reader.types().includes('resync'), LONG_MS);
    await say(nodes[1], channelId, { senderId: ann, body: '4' });
    await reader.until(() => reader.bodies().includes('4'), LONG_MS);
    await reader.leave();
  }, 60_000);
});
