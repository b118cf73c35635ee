import { describe, expect, test } from 'vitest';
import { settle } from './feed-reader.ts';
import { CHANNEL, World } from './feed-world.ts';

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
      const waiting = watch.until(second, 10_000);
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
