import { Failure } from '@parley/domain';
import { describe, expect, test } from 'vitest';
import { follow, opened, settle } from './feed-reader.ts';
import { BOB, World } from './feed-world.ts';

describe('the hub and the epochs', () => {
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

  test('[EPOCH-75] what another server persists of an epoch that was taken for over is told by a resync', async () => {
    const world = new World();
    world.send('1');
    world.persist();
    const { reader } = await opened(world);
    world.failOver();
    world.load();
    // Its beginning is where everybody stands.
    world.read(BOB);
    await reader.until(() => reader.types().includes('receipt.updated'));
    const [first] = world.stored.messages;
    if (!first) throw new Error('nothing was stored');
    world.stored.messages.push({ ...first, id: 'm-late', body: 'late', position: '1005-1' });
    world.failOver();
    world.load();
    world.send('2');
    await reader.until(() => reader.bodies().length > 0 || reader.types().includes('resync'));
    expect(reader.types()).toContain('resync');
    await reader.leave();
  });

  test('[EPOCH-75] control: where it has persisted nothing, all goes on', async () => {
    const world = new World();
    world.send('1');
    world.persist();
    const { reader } = await opened(world);
    world.failOver();
    world.load();
    world.read(BOB);
    await reader.until(() => reader.types().includes('receipt.updated'));
    world.failOver();
    world.load();
    world.send('2');
    await reader.until(() => reader.bodies().length > 0);
    expect(reader.types()).not.toContain('resync');
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

  test('[EPOCH-73] a header that cannot be loaded yet is tried again soon, although nobody says anything', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.loses = () => true;
    world.send('1');
    world.failOver();
    for (let i = 0; i < 3; i++) {
      world.on('load', () => {
        throw new Failure('UNAVAILABLE', 'still being written');
      });
    }
    node.hub.suspect();
    await reader.until(() => reader.bodies().length === 1);
    expect(world.count('load')).toBe(4);
    await reader.leave();
    await node.hub.stop();
  });

  test('[EPOCH-73] a header of an epoch that ends while it is loaded is loaded once more', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.loses = () => true;
    world.send('1');
    world.failOver();
    const { load } = world.log;
    world.log.load = async () => {
      const isThere = await load();
      if (world.count('load') <= 2) world.failOver();
      return isThere;
    };
    node.hub.suspect();
    await reader.until(() => reader.bodies().length === 1);
    await reader.leave();
    await node.hub.stop();
  });

  test('[EPOCH-73] a channel that is just being opened when a new epoch begins is looked at again', async () => {
    const world = new World();
    const node = world.node();
    const { views } = world.views;
    world.views.views = async (userId, channelIds) => {
      const answer = await views(userId, channelIds);
      if (userId !== BOB) return answer;
      world.views.views = views;
      // The answer is of the old epoch and on its way; what is said after it is not heard.
      world.loses = () => true;
      world.send('1');
      world.failOver();
      await node.hub.compare();
      return answer;
    };
    const reader = follow(world, node);
    await reader.until(() => reader.bodies().length === 1);
    await reader.leave();
  });

  test('[EPOCH-73] a channel that is gone is not asked for for ever', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.failOver();
    world.log.load = async () => {
      world.calls.push('load');
      return false;
    };
    node.hub.suspect();
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(world.count('load')).toBe(1);
    await reader.leave();
    await node.hub.stop();
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

  test('[EPOCH-74] after such a resync nothing of what follows is missed', async () => {
    const world = new World();
    for (const body of ['1', '2', '3', '4', '5']) world.send(body);
    const node = world.node();
    const reader = follow(world, node, { lastEventId: '0-0' });
    await reader.until(() => reader.bodies().length === 5);
    world.forget(3);
    node.hub.suspect();
    await reader.until(() => reader.types().includes('resync'));
    for (const body of ['6', '7', '8']) world.send(body);
    await reader.until(() => reader.bodies().includes('8'));
    expect(reader.bodies().slice(5)).toEqual(['6', '7', '8']);
    await reader.leave();
  });

  test('[EPOCH-71] an answer of an older epoch than others were served is asked for again, and never believed', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    const old = world.view(BOB);
    world.failOver();
    world.load();
    world.send('1');
    await reader.until(() => reader.bodies().length === 1);
    world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    const { views } = world.views;
    let [turns, given] = [1, 0];
    world.views.views = async (userId, channelIds) => {
      if (userId !== BOB || turns-- <= 0) return views(userId, channelIds);
      given++;
      return [old];
    };
    const resumed = follow(world, node, { lastEventId: '1010-1' });
    await resumed.until(() => resumed.bodies().length === 1);
    expect(resumed.types()).toEqual(['opened', 'message.created']);
    turns = Number.POSITIVE_INFINITY;
    const waiting = follow(world, node, { lastEventId: '1010-1' });
    await expect.poll(() => given).toBeGreaterThan(5);
    expect(waiting.events).toEqual([]);
    turns = 0;
    await waiting.until(() => waiting.bodies().length === 1);
    expect(waiting.types()).toEqual(['opened', 'message.created']);
    await Promise.all([reader.leave(), resumed.leave(), waiting.leave()]);
  });

  test('[DEG-27] a feed whose channel was broken off while the store is away begins anew when it is back', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.send('1');
    const second = world.send('2');
    await reader.until(() => reader.bodies().length === 2);
    const { views } = world.views;
    let failures = 3;
    world.views.views = async (userId, channelIds) => {
      if (userId === BOB && failures-- > 0) throw new Failure('UNAVAILABLE', 'away');
      return views(userId, channelIds);
    };
    world.loses = () => true;
    world.persist({ rejected: [second] });
    world.loses = () => false;
    node.hub.suspect();
    await reader.until(() => reader.types().includes('resync'));
    expect(failures).toBe(-1);
    world.send('3');
    await reader.until(() => reader.bodies().includes('3'));
    await reader.leave();
  });

  test('[EPOCH-72] an entry that only a window had told of, and that was lost with its epoch, is told by a resync', async () => {
    const world = new World();
    const { reader, node } = await opened(world);
    world.send('1');
    await reader.until(() => reader.bodies().length === 1);
    world.persist();
    // The bus is dead, so only the newcomer, who reads the window, sees the second one; filling the others fails.
    world.loses = () => true;
    world.send('2');
    world.on('after', () => undefined);
    world.on('after', () => {
      throw new Error('no answer');
    });
    const newcomer = follow(world, node, { lastEventId: '1000-1' });
    await newcomer.until(() => newcomer.bodies().length === 1);
    world.failOver({ lost: 1 });
    world.load();
    world.loses = () => false;
    world.send('3');
    await newcomer.until(() => newcomer.types().includes('resync'));
    await Promise.all([reader.leave(), newcomer.leave()]);
  });
});
