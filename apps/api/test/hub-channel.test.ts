import { formatPlace } from '@parley/domain';
import { describe, expect, test } from 'vitest';
import { follow, opened, settle } from './feed-reader.ts';
import { BOB, CHANNEL, World } from './feed-world.ts';

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

  test('[FAN-73] a publication that comes late does not make the fill begin again', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    const before = world.count('after');
    world.loses = (line) => line.includes('"body":"1"');
    world.on('after', () => node.hub.channel(CHANNEL, world.window[0] ?? ''));
    world.send('1');
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    await settle();
    expect(reader.bodies()).toEqual(['1', '2']);
    expect(world.count('after') - before).toBe(1);
    await reader.leave();
  });

  test('[FAN-73] what a fill brings is dropped when the store has forgotten it in the meantime', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.send('1');
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    const { after } = world.views;
    world.views.after = async (channelId, position, limit) => {
      const answer = await after(channelId, position, limit);
      world.views.after = after;
      world.forget(3);
      await node.hub.compare();
      return answer;
    };
    world.loses = (line) => line.includes('"body":"3"');
    world.send('3');
    world.send('4');
    await reader.until(() => reader.types().includes('resync'));
    await settle();
    world.send('5');
    await reader.until(() => reader.bodies().includes('5'));
    expect(reader.bodies()).toEqual(['1', '2', '5']);
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

  test('[FAN-74] a comparison counts for a channel that is just being opened, too', async () => {
    const world = new World();
    const node = world.node();
    const { views } = world.views;
    world.views.views = async (userId, channelIds) => {
      const answer = await views(userId, channelIds);
      if (userId !== BOB) return answer;
      world.views.views = views;
      // The answer is on its way, the bus is dead, and when it is back the heads are compared.
      world.loses = () => true;
      world.send('1');
      await node.hub.compare();
      return answer;
    };
    const reader = follow(world, node);
    await reader.until(() => reader.bodies().length === 1);
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

  test('[FAN-73] a notice that speaks of what never came to be is looked into once', async () => {
    const world = new World();
    const { reader } = await opened(world);
    world.read(BOB, { epoch: 1000, n: 7, m: 7, at: world.now });
    await reader.until(() => reader.types().includes('receipt.updated'));
    await settle();
    const looks = world.count('views');
    await settle();
    expect(world.count('views')).toBe(looks);
    world.send('1');
    await reader.until(() => reader.bodies().length === 1);
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
