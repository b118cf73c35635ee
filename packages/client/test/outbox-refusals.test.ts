import { beforeEach, describe, expect, test } from 'vitest';
import { lostSocket, refusal } from './fake-server.ts';
import { settle } from './manual-clock.ts';
import { CHANNEL, OutboxScene } from './outbox-scene.ts';

let scene: OutboxScene;

beforeEach(async () => {
  scene = new OutboxScene();
  await scene.outbox.run();
});

describe('refusals', () => {
  const refuse = async (body: string) => {
    scene.perform = async (_entry, input) => {
      if (input.body === body) throw refusal('FORBIDDEN');
      return scene.server.send(input);
    };
  };

  test('[CLIENT-8] what is refused for good stays to be seen, and the others go on', async () => {
    await refuse('a');
    scene.send('a');
    scene.send('b');
    await settle();
    expect(scene.states).toEqual(['failed', 'accepted']);
    expect(scene.items[0]?.refusal).toEqual({ code: 'FORBIDDEN', reason: null });
    expect(scene.clock.pending).toBe(1);
  });

  test('[CLIENT-8] retry sends it again under the same id, after everything else', async () => {
    await refuse('a');
    const id = scene.send('a');
    scene.send('b');
    await settle();
    scene.perform = async (_entry, input) => scene.server.send(input);
    scene.outbox.retry(CHANNEL, id);
    await settle();
    expect(scene.server.log.map((message) => message.body)).toEqual(['b', 'a']);
    expect(scene.server.log.at(-1)?.clientMsgId).toBe(id);
  });

  test('[CLIENT-8] discard gives it up; what may have been sent cannot be discarded', async () => {
    await refuse('a');
    const failed = scene.send('a');
    const accepted = scene.send('b');
    await settle();
    scene.outbox.discard(CHANNEL, failed);
    scene.outbox.discard(CHANNEL, accepted);
    await settle();
    expect(scene.states).toEqual(['accepted']);
    expect((await scene.storage.load()).map((entry) => entry.id)).toEqual([accepted]);
  });

  test('[CLIENT-8] a message that the server rejects later fails, too', async () => {
    const id = scene.send('a');
    await settle();
    scene.outbox.markRejected(CHANNEL, id, 'the channel was deleted');
    expect(scene.states).toEqual(['failed']);
    expect(scene.items[0]?.refusal?.reason).toBe('the channel was deleted');
    await scene.clock.advance(60_000);
    expect(scene.server.calls).toHaveLength(1);
  });
});

describe('holes', () => {
  test('[CLIENT-9] an entry that is a hole is not persisted: it goes again, and the server looks for its twin', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    scene.outbox.markPersisted(CHANNEL, '5-2', ['5-1']);
    await settle();
    expect(scene.sent).toEqual(['a', 'b', 'a']);
    expect(scene.bodies).toEqual(['a']);
    scene.server.persist();
    await scene.clock.advance(5_100);
    expect(scene.items).toEqual([]);
  });

  test('[CLIENT-9] control: without the holes the mark would let a rejected message go', async () => {
    scene.send('a');
    await settle();
    scene.outbox.markPersisted(CHANNEL, '5-1', []);
    expect(scene.items).toEqual([]);
  });

  test('[CLIENT-9] superseded by a twin means persisted; by nobody, it goes again', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    scene.outbox.markSuperseded(CHANNEL, '5-1', '4-7');
    expect(scene.bodies).toEqual(['b']);
    scene.outbox.markSuperseded(CHANNEL, '5-2', null);
    await settle();
    expect(scene.sent).toEqual(['a', 'b', 'b']);
  });

  test('[CLIENT-9] what turns out to be a hole again and again fails in the end', async () => {
    scene.perform = async (_entry, input) => {
      scene.server.log = [];
      return scene.server.send(input);
    };
    scene.send('a');
    for (const n of [1, 2, 3]) {
      await settle();
      scene.outbox.markPersisted(CHANNEL, `5-${n}`, [`5-${n}`]);
    }
    await settle();
    expect(scene.states).toEqual(['failed']);
    expect(scene.server.calls).toHaveLength(3);
  });
});

describe('reload', () => {
  test('[CLIENT-10] unsent messages survive a reload, in their order, and go again before new ones', async () => {
    scene.perform = async () => {
      throw lostSocket();
    };
    scene.send('a');
    scene.send('b');
    await settle();
    scene.outbox.stop();
    scene.perform = async (_entry, input) => scene.server.send(input);
    scene.start();
    await scene.clock.advance(10);
    scene.send('c');
    await scene.outbox.run();
    await settle();
    expect(scene.sent).toEqual(['a', 'b', 'c']);
    expect(scene.server.calls[0]?.op?.triedIn).toBe(0);
  });

  test('[CLIENT-10] a failed message is still there after a reload', async () => {
    scene.perform = async () => {
      throw refusal('TOO_LARGE');
    };
    scene.send('a');
    await settle();
    scene.outbox.stop();
    scene.start();
    await scene.outbox.run();
    await settle();
    expect(scene.states).toEqual(['failed']);
  });

  test('[CLIENT-11] signing out leaves nothing behind, not even what comes back late', async () => {
    let refuse: (error: Error) => void = () => undefined;
    scene.perform = () => new Promise((_resolve, reject) => (refuse = reject));
    scene.send('a');
    await settle();
    await scene.outbox.wipe();
    refuse(refusal('FORBIDDEN'));
    await settle();
    expect(await scene.storage.load()).toEqual([]);
  });

  test('[CLIENT-10] a storage that refuses costs nothing but the reload', async () => {
    scene.storage = {
      load: () => Promise.reject(new Error('no storage')),
      put: () => Promise.reject(new Error('no storage')),
      remove: () => Promise.reject(new Error('no storage')),
      clear: () => Promise.reject(new Error('no storage')),
    };
    scene.start();
    await scene.outbox.run();
    scene.send('a');
    await settle();
    expect(scene.states).toEqual(['accepted']);
  });
});
