import { formatPlace } from '@parley/domain';
import { describe, expect, test } from 'vitest';
import { ANN, BOB, CHANNEL, follow, type Reader, settle, World } from './feed-world.ts';

async function opened(world: World, node = world.node()): Promise<{ reader: Reader; node: typeof node }> {
  const reader = follow(world, node);
  await reader.until(() => reader.events.length === 1);
  return { reader, node };
}

describe('the hub', () => {
  test('[FAN-73] a lost publication is found by the next one, once for all feeds of the thread', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    const { reader: other } = await opened(world, node);
    const before = world.count('after');
    world.loses = (line) => line.includes('"body":"2"');
    for (const body of ['1', '2', '3']) world.send(body);
    await Promise.all([reader, other].map((feed) => feed.until(() => feed.bodies().length === 3)));
    expect(reader.bodies()).toEqual(['1', '2', '3']);
    expect(other.bodies()).toEqual(['1', '2', '3']);
    expect(world.count('after') - before).toBe(1);
    await Promise.all([reader.leave(), other.leave()]);
  });

  test('[FAN-73] what is published while a gap is filled comes after it', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.loses = (line) => line.includes('"body":"1"');
    world.on('after', () => void world.send('3'));
    world.send('1');
    world.send('2');
    await reader.until(() => reader.bodies().length === 3);
    await settle();
    expect(reader.bodies()).toEqual(['1', '2', '3']);
    await reader.leave();
  });

  test('[FAN-73] a store that does not answer is asked again until the gap is filled', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.loses = (line) => line.includes('"body":"1"');
    for (let i = 0; i < 3; i++) {
      world.on('after', () => {
        throw new Error('no answer');
      });
    }
    world.send('1');
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    expect(reader.bodies()).toEqual(['1', '2']);
    await reader.leave();
  });

  test('[FAN-73] a publication that comes twice, or of an epoch that is over, is dropped', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.doubles = () => true;
    world.send('1');
    node.hub.channel(CHANNEL, `1 c ${formatPlace({ epoch: 999, n: 7, m: 7, at: 1 })} {}`);
    node.hub.channel(CHANNEL, 'gibberish');
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    await settle();
    expect(reader.bodies()).toEqual(['1', '2']);
    await reader.leave();
  });

  test('[FAN-74] a reconnected subscriber compares all heads', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.loses = () => true;
    world.send('1');
    world.send('2');
    await settle();
    expect(reader.bodies()).toEqual([]);
    node.hub.suspect();
    await reader.until(() => reader.bodies().length === 2);
    expect(reader.bodies()).toEqual(['1', '2']);
    await reader.leave();
  });

  test('[FAN-74] a compare that fails is repeated', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.loses = () => true;
    world.send('1');
    world.on('views', () => {
      throw new Error('no answer');
    });
    node.hub.suspect();
    await reader.until(() => reader.bodies().length === 1);
    await reader.leave();
    await node.hub.stop();
  });

  test('[FAN-74] heads are compared now and then without being asked', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.loses = () => true;
    world.send('1');
    node.hub.run();
    await reader.until(() => reader.bodies().length === 1);
    await reader.leave();
    await node.hub.stop();
  });

  test('[FAN-74] a notice that speaks of an entry that is not here starts a fill', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.loses = (line) => line.startsWith('1 c ');
    world.send('1');
    world.persist();
    await reader.until(() => reader.bodies().length === 1);
    await reader.leave();
  });

  test('[EPOCH-71] a new epoch goes on without a break when nothing was lost', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.send('1');
    await reader.until(() => reader.bodies().length === 1);
    world.failOver();
    world.load();
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    expect(reader.types()).not.toContain('resync');
    expect(reader.events.at(-1)?.id).toBe('1010-1');
    await reader.leave();
  });

  test('[EPOCH-71] what an epoch ended with and nobody heard is delivered before the new one', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.send('1');
    await settle();
    world.loses = () => true;
    world.send('2');
    world.persist();
    world.loses = () => false;
    world.failOver({ keepsWindow: false });
    world.load();
    world.send('3');
    await reader.until(() => reader.bodies().length === 3);
    expect(reader.bodies()).toEqual(['1', '2', '3']);
    await reader.leave();
  });

  test('[EPOCH-72] a delivered entry that was lost with its epoch is told by a resync', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.send('1');
    world.persist();
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    world.failOver({ lost: 1 });
    world.load();
    world.send('3');
    await reader.until(() => reader.types().includes('resync'));
    expect(reader.events.at(-1)).toMatchObject({ id: '1010-1', event: { reason: 'epoch', head: '1010-1' } });
    world.send('4');
    await reader.until(() => reader.bodies().includes('4'));
    await reader.leave();
  });

  test('[EPOCH-72] a delivered entry that was rejected when its epoch was drained is told by a resync', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.send('1');
    const second = world.send('2');
    world.send('3');
    await reader.until(() => reader.bodies().length === 3);
    world.failOver({ rejected: [second] });
    world.load();
    world.send('4');
    await reader.until(() => reader.types().includes('resync'));
    await reader.leave();
  });

  test('[EPOCH-73] a quiet channel notices the new epoch when heads are compared: its header is loaded', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.send('1');
    await reader.until(() => reader.bodies().length === 1);
    world.failOver({ lost: 1 });
    node.hub.suspect();
    await reader.until(() => reader.types().includes('resync'));
    expect(world.count('load')).toBe(1);
    await reader.leave();
  });

  test('[EPOCH-74] a store that forgot the end of its own epoch is told by a resync', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.send('1');
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    world.forget(1);
    node.hub.suspect();
    await reader.until(() => reader.types().includes('resync'));
    expect(reader.events.at(-1)).toMatchObject({ id: '1000-1', event: { reason: 'ahead' } });
    world.send('other');
    await reader.until(() => reader.bodies().includes('other'));
    expect(reader.events.at(-1)?.id).toBe('1000-2');
    await reader.leave();
  });

  test('[FAN-79] a hole that was told needs no resync; one whose notice was lost does', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    const first = world.send('1');
    const second = world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    world.loses = (line) => line.startsWith('1 P ');
    world.persist({ rejected: [first] });
    world.hole(first);
    await reader.until(() => reader.types().includes('message.superseded'));
    node.hub.suspect();
    await reader.until(() => reader.types().includes('message.persisted'));
    expect(reader.types()).toEqual([
      'opened',
      'message.created',
      'message.created',
      'message.superseded',
      'message.persisted',
    ]);
    expect(reader.events[3]?.event).toMatchObject({ position: first, by: null });
    expect(reader.events[4]?.event).toMatchObject({ upTo: second, holes: [first] });
    world.loses = () => true;
    const third = world.send('3');
    world.persist({ rejected: [third] });
    await node.hub.compare();
    await settle();
    // Never delivered, so there is nothing to take back.
    expect(reader.types()).not.toContain('resync');
    world.loses = () => false;
    const fourth = world.send('4');
    await reader.until(() => reader.bodies().includes('4'));
    world.loses = () => true;
    world.persist({ rejected: [fourth] });
    node.hub.suspect();
    await reader.until(() => reader.types().includes('resync'));
    await reader.leave();
  });

  test('[RESUME-74] holes pass silently: their positions are not missed', async () => {
    const world = new World();
    world.send('1');
    const second = world.send('2');
    world.persist({ rejected: [second] });
    world.send('3');
    const { reader } = await opened(world);
    const resumed = follow(world, world.node(), { lastEventId: '0-0' });
    await resumed.until(() => resumed.bodies().length === 2);
    expect(resumed.bodies()).toEqual(['1', '3']);
    expect(resumed.events[0]?.event).toMatchObject({ persistedTo: '1000-2', holes: [second] });
    await Promise.all([reader.leave(), resumed.leave()]);
  });
});

describe('a watch for `persisted`', () => {
  test('[PERSIST-71] is true when the mark has passed, false for a hole, false when it did not come in time', async () => {
    const world = new World();
    const { hub } = world.node();
    using watch = await hub.watch(CHANNEL);
    const first = world.send('1');
    const waiting = watch.until(first, 20_000);
    await settle();
    world.persist();
    expect(await waiting).toBe(true);
    const second = world.send('2');
    const third = world.send('3');
    world.persist({ rejected: [second] });
    expect(await watch.until(second, 20_000)).toBe(false);
    expect(await watch.until(third, 20_000)).toBe(true);
    expect(await watch.until(world.send('4'), 200)).toBe(false);
  });

  test('[PERSIST-71] finds in the header what the bus has lost', async () => {
    const world = new World();
    const { hub, topics } = world.node();
    world.loses = () => true;
    {
      using watch = await hub.watch(CHANNEL);
      const first = world.send('1');
      world.persist();
      expect(await watch.until(first, 20_000)).toBe(true);
      const second = world.send('2');
      const waiting = watch.until(second, 1_000);
      await settle();
      world.persist();
      expect(await waiting).toBe(true);
    }
    await settle();
    expect(topics.size).toBe(0);
    expect(hub.size).toEqual({ channels: 0, listeners: 0 });
  });

  test('[PERSIST-72] a mark of another epoch says nothing', async () => {
    const world = new World();
    const { hub } = world.node();
    using watch = await hub.watch(CHANNEL);
    const first = world.send('1');
    world.failOver({ lost: 1 });
    world.load();
    world.send('2');
    world.persist();
    expect(await watch.until(first, 2_000)).toBe(false);
  });
});

describe('controls: without its protection, each of these is lost', () => {
  test('a subscription that stands only after the reading loses what is published in between', async () => {
    const world = new World();
    world.send('1');
    world.persist({ trimTo: 0 });
    world.on('history', () => void world.send('during history'));
    const reader = follow(world, world.node({ standsAfter: 'history' }), { lastEventId: '0-0' });
    await reader.until(() => reader.bodies().length === 1);
    await settle();
    expect(reader.bodies()).toEqual(['1']);
    await reader.leave();
  });

  test('Postgres before the window leaves a hole', async () => {
    const world = new World();
    for (const body of ['1', '2', '3']) world.send(body);
    world.persist({ trimTo: 0 });
    for (const body of ['4', '5']) world.send(body);
    const query = { channelId: CHANNEL, userId: BOB, after: '1000-1' as const, limit: 500 };
    const early = await world.archive.history(query);
    world.archive.history = async () => early;
    world.on('after', () => world.persist({ trimTo: 0 }));
    const reader = follow(world, world.node(), { lastEventId: '1000-1' });
    await reader.until(() => reader.types().includes('resync'));
    expect(reader.bodies()).toEqual([]);
    await reader.leave();
  });

  test('without a comparison of heads the last publication of a channel stays lost', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.loses = () => true;
    world.send('1');
    await settle();
    expect(reader.bodies()).toEqual([]);
    await reader.leave();
  });

  test('without the newest copy a kicked member would read on', async () => {
    const world = new World();
    world.send('1');
    world.persist({ trimTo: 0 });
    const stale = world.view(BOB);
    world.leave(BOB, ANN);
    world.send('after');
    world.persist({ trimTo: 0 });
    // The copy of a moment ago for the first question only: Postgres' version says that there is a newer one.
    const { views } = world.views;
    let asked = 0;
    world.views.views = async (userId, channelIds) => (asked++ === 0 ? [stale] : views(userId, channelIds));
    const reader = follow(world, world.node(), { lastEventId: '0-0' });
    await reader.ended;
    expect(reader.bodies()).toEqual([]);
    expect(asked).toBe(2);
  });
});
