import { describe, expect, test } from 'vitest';
import { follow } from './feed-reader.ts';
import { ANN, BOB, World } from './feed-world.ts';

describe('who may follow a channel', () => {
  test('[MEMBER-71] a stranger is told nothing, not even that the channel exists', async () => {
    const world = new World([ANN]);
    const node = world.node();
    const reader = follow(world, node, { userId: BOB });
    await reader.ended;
    expect(reader.failure).toMatchObject({ code: 'NOT_FOUND' });
    expect(reader.events).toEqual([]);
    expect(node.hub.size).toEqual({ channels: 0, listeners: 0 });
  });

  test('[MEMBER-72] a kick ends the feed, and nothing after it is delivered: live', async () => {
    const world = new World();
    const node = world.node();
    const reader = follow(world, node);
    const other = follow(world, node, { userId: ANN });
    await Promise.all([reader, other].map((feed) => feed.until(() => feed.events.length === 1)));
    world.send('before');
    world.leave(BOB, ANN);
    world.send('after');
    await reader.ended;
    await other.until(() => other.bodies().length === 2);
    expect(reader.types()).toEqual(['opened', 'message.created', 'member.left']);
    expect(reader.failure).toMatchObject({ code: 'NOT_FOUND' });
    expect(other.types()).toEqual(['opened', 'message.created', 'member.left', 'message.created']);
    await other.leave();
  });

  test.each(['views', 'after', 'history'] as const)(
    '[MEMBER-72] a kick during the opening is not read past: before %s is answered',
    async (call) => {
      const world = new World();
      world.send('1');
      world.persist({ trimTo: 0 });
      const reader = follow(world, world.node(), { lastEventId: '0-0' });
      world.on(call, () => {
        world.leave(BOB, ANN);
        world.send('after');
        world.persist({ trimTo: 0 });
      });
      await reader.ended;
      expect(reader.failure).toMatchObject({ code: 'NOT_FOUND' });
      expect(reader.bodies()).not.toContain('after');
    },
  );

  test('[MEMBER-72] a kick that was lost on the bus is found before what follows it', async () => {
    const world = new World();
    const reader = follow(world, world.node());
    await reader.until(() => reader.events.length === 1);
    world.loses = (line) => line.startsWith('1 l ');
    world.leave(BOB, ANN);
    world.send('after');
    await reader.ended;
    expect(reader.types()).toEqual(['opened', 'member.left']);
  });

  test('[MEMBER-73] an own kick older than the copy that authorised does not end the feed', async () => {
    const world = new World();
    world.send('1');
    world.leave(BOB, ANN);
    world.send('2');
    world.join(BOB);
    world.send('3');
    const reader = follow(world, world.node(), { lastEventId: '0-0' });
    await reader.until(() => reader.bodies().length === 3);
    world.send('4');
    await reader.until(() => reader.bodies().length === 4);
    expect(reader.types()).toContain('member.left');
    expect(reader.failure).toBeUndefined();
    await reader.leave();
  });
});
