import { beforeEach, describe, expect, test } from 'vitest';
import { lostSocket, refusal } from './fake-server.ts';
import { settle } from './manual-clock.ts';
import { CHANNEL, OutboxScene } from './outbox-scene.ts';

let scene: OutboxScene;

beforeEach(async () => {
  scene = new OutboxScene();
  await scene.outbox.run();
});

describe('keeping', () => {
  test('[CLIENT-2] a message is pending at once, accepted with the answer, and leaves only when it is persisted', async () => {
    scene.send('a');
    expect(scene.states).toEqual(['pending']);
    await settle();
    expect(scene.states).toEqual(['accepted']);
    expect(scene.items[0]?.acceptance?.position).toBe('5-1');
    expect(await scene.storage.load()).toHaveLength(1);
    scene.outbox.markPersisted(CHANNEL, '5-1', []);
    expect(scene.states).toEqual([]);
    await settle();
    expect(await scene.storage.load()).toEqual([]);
  });

  test('[CLIENT-2] what was accepted and then lost with its log store is sent again, and nothing is lost', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    scene.server.lose();
    await scene.clock.advance(6_000);
    scene.server.persist();
    expect(scene.server.postgres.map((message) => message.body)).toEqual(['a', 'b']);
  });

  test('[CLIENT-2] control: an outbox that drops an entry on `accepted` loses it', async () => {
    scene.perform = async (_entry, input) => ({ ...scene.server.send(input), level: 'persisted' });
    scene.send('a');
    scene.send('b');
    await settle();
    scene.server.lose();
    await scene.clock.advance(6_000);
    scene.server.persist();
    expect(scene.server.postgres).toEqual([]);
  });

  test('[CLIENT-2] an answer `persisted` lets it go', async () => {
    scene.perform = async (_entry, input) => ({ ...scene.server.send(input), level: 'persisted' });
    scene.send('a');
    await settle();
    expect(scene.states).toEqual([]);
  });

  test('[CLIENT-2] a mark that overtakes the answer counts', async () => {
    scene.outbox.markPersisted(CHANNEL, '5-1', []);
    scene.send('a');
    await settle();
    expect(scene.states).toEqual([]);
  });

  test('[CLIENT-2] a mark of another epoch, or below, persists nothing', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    scene.outbox.markPersisted(CHANNEL, '4-9', []);
    expect(scene.states).toEqual(['accepted', 'accepted']);
    scene.outbox.markPersisted(CHANNEL, '5-1', []);
    expect(scene.bodies).toEqual(['b']);
  });
});

describe('repeating', () => {
  test('[CLIENT-6] what is not persisted after 5 s is sent again, then less and less often', async () => {
    scene.send('a');
    await settle();
    await scene.clock.advance(4_900);
    expect(scene.server.calls).toHaveLength(1);
    await scene.clock.advance(200);
    expect(scene.server.calls).toHaveLength(2);
    expect(new Set(scene.server.calls.map((call) => call.clientMsgId)).size).toBe(1);
    await scene.clock.advance(9_000);
    expect(scene.server.calls).toHaveLength(2);
    await scene.clock.advance(1_100);
    expect(scene.server.calls).toHaveLength(3);
    await scene.clock.advance(600_000);
    expect(scene.server.calls.length).toBeLessThan(16);
  });

  test('[CLIENT-6] a persisted hint that was lost is made up for by the answer to the repetition', async () => {
    scene.send('a');
    await settle();
    scene.server.persist();
    await scene.clock.advance(5_100);
    expect(scene.states).toEqual([]);
  });

  test.each(['UNAVAILABLE', 'BACKPRESSURE', 'RATE_LIMITED', 'UNKNOWN_RETRY', 'SILENCED'] as const)(
    '[CLIENT-7] %s waits as long as the server says, and goes again',
    async (code) => {
      let failures = 1;
      scene.perform = async (_entry, input) => {
        if (failures-- > 0) throw refusal(code, { retryAfterMs: 20_000 });
        return scene.server.send(input);
      };
      scene.send('a');
      await scene.clock.advance(19_900);
      expect(scene.states).toEqual(['pending']);
      expect(scene.server.calls).toHaveLength(0);
      await scene.clock.advance(400);
      expect(scene.states).toEqual(['accepted']);
    },
  );

  test('[CLIENT-7] a lost socket is retried with growing, jittered delays, and at once when the connection is back', async () => {
    const times: number[] = [];
    scene.perform = async () => {
      times.push(scene.clock.now());
      throw lostSocket();
    };
    scene.send('a');
    await scene.clock.advance(120_000);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(gaps.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
    expect(Math.max(...gaps)).toBe(15_000);
    scene.perform = async (_entry, input) => scene.server.send(input);
    scene.outbox.wake();
    await settle();
    expect(scene.states).toEqual(['accepted']);
  });

  test('[CLIENT-7] an answer that never comes is not waited for', async () => {
    scene.perform = () => new Promise(() => undefined);
    scene.send('a');
    await scene.clock.advance(14_000);
    scene.perform = async (_entry, input) => scene.server.send(input);
    await scene.clock.advance(2_000);
    expect(scene.states).toEqual(['accepted']);
  });

  test('[CLIENT-7] not being signed in is not the message’s fault', async () => {
    scene.perform = async () => {
      throw refusal('UNAUTHENTICATED');
    };
    scene.send('a');
    await settle();
    expect(scene.states).toEqual(['pending']);
  });
});
