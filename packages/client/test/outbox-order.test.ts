import { beforeEach, describe, expect, test } from 'vitest';
import { lostSocket, refusal } from './fake-server.ts';
import { settle } from './manual-clock.ts';
import { CHANNEL, OutboxScene } from './outbox-scene.ts';

let scene: OutboxScene;

beforeEach(async () => {
  scene = new OutboxScene();
  await scene.outbox.run();
});

describe('order', () => {
  test('[CLIENT-3] one is in flight per channel, and the next goes after the answer to the last', async () => {
    const waiting: (() => void)[] = [];
    scene.perform = (_entry, input) => new Promise((resolve) => waiting.push(() => resolve(scene.server.send(input))));
    scene.send('a');
    scene.send('b');
    scene.outbox.enqueue('other', { kind: 'send', draft: { body: 'elsewhere' } });
    await settle();
    expect(waiting).toHaveLength(2);
    waiting[0]?.();
    await settle();
    expect(waiting).toHaveLength(3);
    expect(scene.sent).toEqual(['a']);
  });

  test('[CLIENT-3] a failure in the middle does not let the later ones past', async () => {
    let failures = 3;
    scene.perform = async (_entry, input) => {
      if (input.body === 'b' && failures-- > 0) throw lostSocket();
      return scene.server.send(input);
    };
    for (const body of ['a', 'b', 'c']) scene.send(body);
    await scene.clock.advance(4_000);
    expect(scene.sent).toEqual(['a', 'b', 'c']);
  });

  test('[CLIENT-4] a send names the epoch its forerunners were confirmed in; alone it names none', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    expect(scene.server.calls.map((call) => call.op?.epoch)).toEqual([undefined, 5]);
  });

  test('[CLIENT-4] after an epoch change all that is not persisted goes again, in order', async () => {
    scene.send('a');
    scene.send('b');
    await settle();
    scene.server.lose();
    scene.send('c');
    await settle();
    expect(scene.sent).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(scene.server.log.map((message) => message.body)).toEqual(['a', 'b', 'c']);
    expect(scene.items.map((item) => item.acceptance?.position)).toEqual(['6-1', '6-2', '6-3']);
  });

  test('[CLIENT-4] control: without the epoch in the send, the later one is accepted before the earlier', async () => {
    scene.perform = async (_entry, { op: _unnamed, ...input }) => scene.server.send(input);
    scene.send('a');
    await settle();
    scene.server.lose();
    scene.send('b');
    await settle();
    await scene.clock.advance(6_000);
    expect(scene.server.log.map((message) => message.body)).toEqual(['b', 'a']);
  });

  test('[CLIENT-4] an epoch heard of elsewhere sends all again, too', async () => {
    scene.send('a');
    await settle();
    scene.server.lose();
    scene.outbox.sees(CHANNEL, 6);
    await settle();
    expect(scene.sent).toEqual(['a', 'a']);
    scene.outbox.sees(CHANNEL, 5);
    await settle();
    expect(scene.sent).toHaveLength(2);
  });

  test('[CLIENT-4] while it is sent again after an epoch change a message is pending, not accepted', async () => {
    scene.send('a');
    await settle();
    scene.perform = () => new Promise(() => undefined);
    scene.outbox.sees(CHANNEL, 6);
    expect(scene.states).toEqual(['pending']);
  });

  test('[CLIENT-4] a node that still answers in an older epoch confirms nothing, and is not asked in a loop', async () => {
    scene.send('a');
    scene.outbox.sees(CHANNEL, 9);
    await scene.clock.advance(1_000);
    expect(scene.states).toEqual(['pending']);
    expect(scene.server.calls.length).toBeLessThan(5);
    scene.server.epoch = 9;
    scene.server.log = [];
    await scene.clock.advance(2_000);
    expect(scene.states).toEqual(['accepted']);
  });

  test('[CLIENT-4] an answer that names a newer epoch than its position has confirms nothing: the message goes again first', async () => {
    let isLost = false;
    scene.perform = async (_entry, input) => {
      const answer = scene.server.send(input);
      if (isLost) return answer;
      isLost = true;
      scene.server.lose();
      return { ...answer, epoch: scene.server.epoch };
    };
    scene.send('a');
    scene.send('b');
    await scene.clock.advance(1_000);
    expect(scene.server.log.map((message) => message.body)).toEqual(['a', 'b']);
    expect(scene.server.calls[1]).toMatchObject({ body: 'a', op: { triedIn: 5 } });
  });

  test('[CLIENT-4] a conflict without news waits, and goes again', async () => {
    let conflicts = 2;
    scene.perform = async (_entry, input) => {
      if (conflicts-- > 0) throw refusal('CONFLICT');
      return scene.server.send(input);
    };
    scene.send('a');
    await settle();
    expect(scene.sent).toEqual([]);
    await scene.clock.advance(3_000);
    expect(scene.states).toEqual(['accepted']);
  });

  test('[CLIENT-5] a repeated send names the epoch of its first try, the lowest possible where that is unknown', async () => {
    const tries: (number | undefined)[] = [];
    let failures = 1;
    scene.perform = async (_entry, input) => {
      tries.push(input.op?.triedIn);
      if (failures-- > 0) throw lostSocket();
      return scene.server.send(input);
    };
    scene.send('a');
    await scene.clock.advance(1_000);
    await scene.clock.advance(5_500);
    expect(tries).toEqual([undefined, 0, 5]);
  });
});
