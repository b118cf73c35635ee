import { describe, expect, test } from 'vitest';
import { follow, Room, settle } from './feed-reader.ts';
import { ANN, BOB, World } from './feed-world.ts';

const names = (count: number, from = 1) => Array.from({ length: count }, (_, i) => `${i + from}`);

describe('a channel feed', () => {
  test('[FAN-71] begins with `opened` at the head, and gives what comes after it', async () => {
    const world = new World();
    world.send('old');
    const reader = follow(world, world.node());
    await reader.until(() => reader.types().includes('opened'));
    expect(reader.events[0]).toMatchObject({
      id: '1000-1',
      event: { type: 'opened', epoch: 1000, head: '1000-1', persistedTo: null, holes: [], resumed: false },
    });
    world.send('new');
    await reader.until(() => reader.bodies().length > 0);
    expect(reader.events[1]).toMatchObject({ id: '1000-2', event: { message: { body: 'new', persisted: false } } });
    await reader.leave();
  });

  test('[FAN-71] an empty channel is opened at the origin, and resumed from there', async () => {
    const world = new World();
    const node = world.node();
    const first = follow(world, node);
    await first.until(() => first.events.length === 1);
    expect(first.events[0]).toMatchObject({ id: '0-0', event: { head: null, resumed: false } });
    await first.leave();
    world.send('1');
    const second = follow(world, node, { lastEventId: '0-0' });
    await second.until(() => second.bodies().length === 1);
    expect(second.events.map(({ id }) => id)).toEqual(['0-0', '1000-1']);
    expect(second.events[0]?.event).toMatchObject({ resumed: true });
    await second.leave();
  });

  test('[RESUME-71] gives everything after the last position that was seen, once', async () => {
    const world = new World();
    for (const body of names(5)) world.send(body);
    const reader = follow(world, world.node(), { lastEventId: '1000-2' });
    await reader.until(() => reader.bodies().length === 3);
    world.send('6');
    await reader.until(() => reader.bodies().length === 4);
    expect(reader.bodies()).toEqual(['3', '4', '5', '6']);
    expect(reader.events[0]).toMatchObject({ id: '1000-2', event: { type: 'opened', resumed: true } });
    expect(world.count('history')).toBe(0);
    await reader.leave();
  });

  test('[RESUME-71] what the window has forgotten comes from Postgres', async () => {
    const world = new World();
    for (const body of names(5)) world.send(body);
    world.persist({ trimTo: 2 });
    world.send('6');
    const reader = follow(world, world.node(), { lastEventId: '1000-1' });
    await reader.until(() => reader.bodies().length === 5);
    expect(reader.bodies()).toEqual(names(5, 2));
    await reader.leave();
  });

  test('[FAN-72] a publication between the attachment and the reading is neither lost nor doubled', async () => {
    const world = new World();
    world.send('1');
    for (const call of ['views', 'after', 'history'] as const) world.on(call, () => void world.send(`during ${call}`));
    world.persist({ trimTo: 0 });
    const reader = follow(world, world.node(), { lastEventId: '0-0' });
    await reader.until(() => reader.bodies().includes('during history'));
    await settle();
    expect(reader.bodies()).toEqual(['1', 'during views', 'during after', 'during history']);
    await reader.leave();
  });

  test('[FAN-72] a commit and trim between window and Postgres leave no hole', async () => {
    const world = new World();
    for (const body of names(3)) world.send(body);
    world.persist({ trimTo: 0 });
    for (const body of names(3, 4)) world.send(body);
    world.on('history', () => world.persist({ trimTo: 0 }));
    const reader = follow(world, world.node(), { lastEventId: '1000-1' });
    await reader.until(() => reader.bodies().length === 5);
    expect(reader.bodies()).toEqual(names(5, 2));
    expect(reader.types()).not.toContain('resync');
    await reader.leave();
  });

  test('[RESUME-72] a window is not the history of an older epoch: Postgres is asked, too', async () => {
    const world = new World();
    for (const body of names(2)) world.send(body);
    world.persist();
    world.send('3');
    world.persist();
    // The replica that took over has not seen the last one, and does not know.
    world.window = world.window.slice(0, -1);
    world.failOver();
    world.load();
    world.send('4');
    const reader = follow(world, world.node(), { lastEventId: '1000-1' });
    await reader.until(() => reader.bodies().length === 3);
    expect(reader.bodies()).toEqual(['2', '3', '4']);
    await reader.leave();
  });

  test.each([
    ['ahead', '1000-9'],
    ['ahead', '2000-1'],
    ['epoch', '990-7'],
  ] as const)('[RESUME-73] what cannot be bridged is told: %s', async (reason, lastEventId) => {
    const world = new World();
    for (const body of names(3)) world.send(body);
    const reader = follow(world, world.node(), { lastEventId });
    await reader.until(() => reader.events.length === 2);
    expect(reader.events[0]).toMatchObject({ id: lastEventId, event: { type: 'opened', resumed: false } });
    expect(reader.events[1]).toMatchObject({ id: '1000-3', event: { type: 'resync', reason, head: '1000-3' } });
    world.send('4');
    await reader.until(() => reader.bodies().length === 1);
    expect(reader.bodies()).toEqual(['4']);
    await reader.leave();
  });

  test('[RESUME-73] too far behind is told, in the window and in Postgres', async () => {
    const world = new World();
    for (const body of names(502)) world.send(body);
    const node = world.node();
    const far = follow(world, node, { lastEventId: '1000-1' });
    await far.until(() => far.types().includes('resync'));
    expect(far.events[1]?.event).toMatchObject({ reason: 'behind' });
    const near = follow(world, node, { lastEventId: '1000-2' });
    await near.until(() => near.bodies().length === 500);
    expect(near.bodies()).toEqual(names(500, 3));
    world.failOver();
    world.load();
    const older = follow(world, world.node(), { lastEventId: '1000-1' });
    await older.until(() => older.types().includes('resync'));
    expect(older.events[1]?.event).toMatchObject({ reason: 'behind' });
    await Promise.all([far.leave(), near.leave(), older.leave()]);
  });

  test('[FAN-75] a slow reader keeps no queue and misses nothing', async () => {
    const world = new World();
    const room = new Room();
    const node = world.node();
    const slow = follow(world, node, { room });
    const quick = follow(world, node, { userId: ANN });
    await quick.until(() => quick.events.length === 1);
    // More than the ring keeps, and less than what is too far.
    for (const body of names(400)) {
      world.send(body);
      if (Number(body) % 50 === 0) await settle();
    }
    world.persist({ trimTo: 100 });
    await quick.until(() => quick.bodies().length === 400);
    expect(slow.events).toEqual([]);
    room.open();
    await slow.until(() => slow.bodies().length === 400);
    expect(slow.bodies()).toEqual(names(400));
    expect(slow.events[0]?.event.type).toBe('opened');
    await Promise.all([slow.leave(), quick.leave()]);
  });

  test('[FAN-76] all feeds of a thread share one event object, so that it is encoded once', async () => {
    const world = new World();
    const node = world.node();
    const readers = [ANN, BOB, BOB].map((userId) => follow(world, node, { userId }));
    await Promise.all(readers.map((reader) => reader.until(() => reader.events.length === 1)));
    world.send('1');
    world.persist();
    await Promise.all(readers.map((reader) => reader.until(() => reader.types().includes('message.persisted'))));
    for (const i of [1, 2]) expect(new Set(readers.map((reader) => reader.events[i]?.event)).size).toBe(1);
    await Promise.all(readers.map((reader) => reader.leave()));
  });

  test('[FAN-77] ephemeral events repeat the last durable id, and a slow reader gets the latest of each', async () => {
    const world = new World();
    const room = new Room();
    const node = world.node();
    const reader = follow(world, node, { room });
    await settle();
    for (const body of names(3)) {
      world.send(body);
      world.read(BOB);
      world.persist();
      await settle();
    }
    room.open();
    await reader.until(() => reader.events.length >= 6);
    await settle();
    expect(reader.types()).toEqual([
      'opened',
      ...names(3).map(() => 'message.created'),
      'receipt.updated',
      'message.persisted',
    ]);
    expect(reader.events.slice(4)).toMatchObject([
      { id: '1000-3', event: { userId: BOB, readTo: '1000-3' } },
      { id: '1000-3', event: { upTo: '1000-3', holes: [] } },
    ]);
    await reader.leave();
  });

  test('[FAN-78] leaving gives everything back, in whatever the feed was waiting for', async () => {
    const world = new World();
    const node = world.node();
    const never = new Promise<void>(() => undefined);
    for (const call of ['subscribe', 'views', 'after', 'history'] as const) {
      world.send(call);
      world.persist({ trimTo: 0 });
      world.on(call, () => (call === 'subscribe' ? settle() : never));
      const reader = follow(world, node, { lastEventId: '0-0' });
      if (call !== 'subscribe') await settle();
      await reader.leave();
      expect(reader.failure).toBeUndefined();
    }
    const idle = follow(world, node);
    const gated = follow(world, node, { room: new Room() });
    await idle.until(() => idle.events.length === 1);
    await Promise.all([idle.leave(), gated.leave()]);
    await settle();
    expect(node.hub.size).toEqual({ channels: 0, listeners: 0 });
    expect(node.topics.size).toBe(0);
  });
});
