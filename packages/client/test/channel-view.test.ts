import type { Answer, Message } from '@parley/protocol';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { ChannelScene, opened, type Page, page, persisted } from './channel-scene.ts';
import { lostSocket, messageAt, refusal } from './fake-server.ts';
import { settle } from './manual-clock.ts';

let scene: ChannelScene;
beforeEach(() => {
  scene = new ChannelScene();
});

test('[CLIENT-15] the newest page and what comes live while it loads are one list', async () => {
  const loading = Promise.withResolvers<Page>();
  scene.pages = [() => loading.promise];
  await scene.open();
  scene.create(messageAt('5-3'));
  scene.create(messageAt('5-4'));
  expect(scene.snapshot.state).toBe('loading');
  loading.resolve(page([messageAt('5-2'), messageAt('5-3')], true));
  await settle();
  expect(scene.snapshot).toMatchObject({ state: 'ready', hasOlder: true, newest: '5-4' });
  expect(scene.bodies).toEqual(['body 5-2', 'body 5-3', 'body 5-4']);
});

test('[CLIENT-15] a resync takes the newest page in place of what is shown', async () => {
  scene.pages = [() => page([messageAt('5-1')]), () => page([messageAt('6-1'), messageAt('6-2')])];
  await scene.open();
  scene.tell({ type: 'resync', channelId: 'c', at: 1, reason: 'epoch', head: '6-2' }, '6-2');
  scene.create(messageAt('6-3'));
  await settle();
  expect(scene.bodies).toEqual(['body 6-1', 'body 6-2', 'body 6-3']);
});

test('[CLIENT-113] a page that lacks what is not persisted is shown, and loaded again until it lacks nothing', async () => {
  const partly = () => ({ ...page([messageAt('5-1')]), persistedOnly: true });
  scene.pages = [partly, partly, () => page([messageAt('5-1'), messageAt('5-2'), messageAt('5-3')])];
  await scene.open({ head: '5-2' });
  expect(scene.snapshot.state).toBe('ready');
  scene.create(messageAt('5-3'));
  expect(scene.bodies).toEqual(['body 5-1', 'body 5-3']);
  await scene.clock.advance(60_000);
  expect(scene.bodies).toEqual(['body 5-1', 'body 5-2', 'body 5-3']);
  expect(scene.pages).toEqual([]);
});

test('[CLIENT-113] control: one that lacks nothing is loaded once', async () => {
  scene.pages = [() => page([messageAt('5-1')]), () => page([messageAt('9-9')])];
  await scene.open({ head: '5-1' });
  await scene.clock.advance(60_000);
  expect(scene.bodies).toEqual(['body 5-1']);
});

test('[CLIENT-15] a resumed feed goes on without loading anything; control: one that is not resumed loads', async () => {
  scene.pages = [() => page([messageAt('5-1')]), () => page([messageAt('9-9')])];
  await scene.open();
  scene.tell(opened({ resumed: true }));
  await settle();
  expect(scene.bodies).toEqual(['body 5-1']);
  scene.tell(opened({ resumed: false }));
  await settle();
  expect(scene.bodies).toEqual(['body 9-9']);
});

test('[CLIENT-15] whatever the order of pages, repetitions and live messages, the history is shown once, in order', async () => {
  const events = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constant('next' as const) },
      { weight: 2, arbitrary: fc.constant('repeat' as const) },
      fc.constant('resync' as const),
      fc.constant('settle' as const),
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(events, async (steps) => {
      const run = new ChannelScene();
      const history: Message[] = [];
      run.api.handlers['message.page'] = () => page(history.slice(-10), history.length > 10);
      await run.open();
      for (const step of steps) {
        if (step === 'next') history.push(messageAt(`5-${history.length + 1}`));
        const last = history.at(-1);
        if (step === 'next' || step === 'repeat') last && run.create(last);
        else if (step === 'resync') run.tell({ type: 'resync', channelId: 'c', at: 1, reason: 'behind', head: null });
        else await settle();
      }
      await settle();
      const bodies = history.map((message) => message.body);
      expect(run.bodies).toEqual(bodies.slice(bodies.length - run.bodies.length));
      expect(run.bodies.length).toBeGreaterThanOrEqual(Math.min(10, bodies.length));
    }),
    { numRuns: 40 },
  );
});

test('[CLIENT-16] an own message is shown at once and stays one row while it moves from outbox to history', async () => {
  const answers: ((answer: Answer<'message.send'>) => void)[] = [];
  scene.api.handlers['message.send'] = () => new Promise((resolve) => answers.push(resolve));
  scene.pages = [() => page([messageAt('5-1')])];
  await scene.open();
  const id = scene.outbox.enqueue('c', { kind: 'send', draft: { body: 'mine' } });
  const key = scene.snapshot.messages[1]?.key;
  expect(scene.marks).toEqual(['accepted', 'pending'].with(0, 'persisted'));
  scene.create(messageAt('5-2', { senderId: 'me', clientMsgId: id, body: 'mine', persisted: false }));
  expect(scene.bodies).toEqual(['body 5-1', 'mine']);
  expect(scene.snapshot.messages[1]?.key).toBe(key);
  await settle();
  answers[0]?.({ epoch: 5, messageId: 'i', position: '5-2', sentAt: 2, level: 'accepted', duplicate: false });
  await settle();
  expect(scene.marks[1]).toBe('accepted');
  scene.tell(persisted('5-2'));
  expect(scene.marks[1]).toBe('persisted');
  expect(scene.outbox.itemsOf('c').getSnapshot()).toEqual([]);
});

test('[CLIENT-16] a message that is persisted before its event comes does not vanish in between', async () => {
  scene.api.handlers['message.send'] = () => ({
    epoch: 5,
    messageId: 'i',
    position: '5-1',
    sentAt: 2,
    level: 'persisted',
    duplicate: false,
  });
  await scene.open();
  const id = scene.outbox.enqueue('c', { kind: 'send', draft: { body: 'mine' } });
  await settle();
  expect(scene.bodies).toEqual(['mine']);
  expect(scene.marks).toEqual(['persisted']);
  scene.create(messageAt('5-1', { senderId: 'me', clientMsgId: id, body: 'mine', persisted: false }));
  expect(scene.bodies).toEqual(['mine']);
  expect(scene.marks).toEqual(['persisted']);
});

test('[CLIENT-16] the outbox hears of epochs and marks from the feed', async () => {
  const sends: (number | undefined)[] = [];
  scene.api.handlers['message.send'] = (input) => {
    sends.push(input.op?.triedIn);
    return { epoch: 5, messageId: 'i', position: '5-1', sentAt: 2, level: 'accepted', duplicate: sends.length > 1 };
  };
  await scene.open();
  scene.outbox.enqueue('c', { kind: 'send', draft: { body: 'mine' } });
  await settle();
  scene.tell(opened({ epoch: 6, head: '6-0' }));
  await scene.clock.advance(300);
  expect(sends.length).toBeGreaterThan(1);
  scene.tell(opened({ epoch: 5, persistedTo: '5-1', resumed: true }));
  expect(scene.outbox.itemsOf('c').getSnapshot()).toEqual([]);
});

test('[CLIENT-17] a feed that fails comes back from the last event; one that is refused closes the channel', async () => {
  scene.pages = [() => page([messageAt('5-1')])];
  await scene.open();
  scene.create(messageAt('5-2'));
  scene.api.channelFeeds[0]?.observer.onEnd(lostSocket());
  await scene.clock.advance(1_000);
  expect(scene.api.channelFeeds).toHaveLength(2);
  expect(scene.api.channelFeeds[1]?.input).toEqual({ channelId: 'c', lastEventId: '5-2' });
  scene.api.channelFeeds[1]?.observer.onEnd(refusal('NOT_FOUND'));
  await scene.clock.advance(60_000);
  expect(scene.api.channelFeeds).toHaveLength(2);
  expect(scene.snapshot).toMatchObject({ state: 'closed', failure: { code: 'NOT_FOUND' } });
});

test('[CLIENT-17] a page that fails is asked for again', async () => {
  const fail = () => Promise.reject(refusal('UNAVAILABLE', { retryAfterMs: 1_000 }));
  scene.pages = [fail, fail, () => page([messageAt('5-1')])];
  await scene.open();
  expect(scene.snapshot.state).toBe('loading');
  await scene.clock.advance(10_000);
  expect(scene.bodies).toEqual(['body 5-1']);
});

test('[CLIENT-18] older pages join in front, one at a time, and not into a list that a resync replaced', async () => {
  const older = Promise.withResolvers<Page>();
  scene.pages = [() => page([messageAt('5-5')], true), () => older.promise, () => page([messageAt('6-1')], true)];
  await scene.open();
  const loading = scene.view.loadOlder();
  await scene.view.loadOlder();
  expect(scene.pages).toHaveLength(1);
  scene.tell({ type: 'resync', channelId: 'c', at: 1, reason: 'behind', head: '6-1' }, '6-1');
  await settle();
  older.resolve(page([messageAt('5-4')]));
  await loading;
  expect(scene.bodies).toEqual(['body 6-1']);
  scene.pages = [() => page([messageAt('5-9')])];
  await scene.view.loadOlder();
  expect(scene.bodies).toEqual(['body 5-9', 'body 6-1']);
  expect(scene.snapshot).toMatchObject({ hasOlder: false, isLoadingOlder: false });
});

test('[CLIENT-19] a snapshot is the same object until something changes, and so is every message that did not change', async () => {
  scene.pages = [() => page([messageAt('5-1')])];
  await scene.open();
  const before = scene.snapshot;
  expect(scene.snapshot).toBe(before);
  scene.create(messageAt('5-2'));
  expect(scene.snapshot).not.toBe(before);
  expect(scene.snapshot.messages[0]).toBe(before.messages[0]);
});

test('a view that was stopped asks for nothing and shows nothing more', async () => {
  await scene.open();
  scene.view.stop();
  expect(scene.api.channelFeeds[0]?.isOpen).toBe(false);
  await scene.clock.advance(60_000);
  expect(scene.api.channelFeeds).toHaveLength(1);
});
