import type { Input } from '@parley/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { OwnReceipts } from '../src/own-receipts.ts';
import { OwnTyping } from '../src/own-typing.ts';
import { WatchedPresence } from '../src/watched-presence.ts';
import { FakeApi, lostSocket, messageAt } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';

let api: FakeApi;
let clock: ManualClock;
const onProblem = () => undefined;

beforeEach(() => {
  api = new FakeApi();
  clock = new ManualClock();
});

describe('presence', () => {
  let asked: string[][];
  let presence: WatchedPresence;
  const statusOf = (id: string) => presence.store.getSnapshot().get(id)?.status;

  beforeEach(() => {
    asked = [];
    api.handlers['presence.get'] = ({ userIds }) => {
      asked.push(userIds);
      return userIds.map((userId) => ({ userId, status: 'online', lastSeenAt: 1 }));
    };
    presence = new WatchedPresence({ api, clock, onProblem });
  });

  test('[CLIENT-59] whoever is watched is asked for once, however many watch, and forgotten with the last', async () => {
    const first = presence.watch(['ada', 'ben', 'ada']);
    const second = presence.watch(['ben', 'cleo']);
    await clock.advance(100);
    expect(asked).toEqual([['ada', 'ben', 'cleo']]);
    first();
    first();
    expect([statusOf('ada'), statusOf('ben')]).toEqual([undefined, 'online']);
    second();
    expect(presence.store.getSnapshot().size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('[CLIENT-59] what an open channel tells holds at once; of others nothing is kept', async () => {
    presence.watch(['ada']);
    await clock.advance(100);
    const before = presence.store.getSnapshot();
    presence.told('ada', { status: 'online', lastSeenAt: 1 });
    presence.told('ben', { status: 'busy', lastSeenAt: 1 });
    expect(presence.store.getSnapshot()).toBe(before);
    presence.told('ada', { status: 'away', lastSeenAt: 2 });
    expect(statusOf('ada')).toBe('away');
  });

  test('[CLIENT-59] it is asked again after a reconnect and now and then, in calls of at most 200', async () => {
    const many = Array.from({ length: 450 }, (_, i) => `u${i}`);
    presence.watch(many);
    await clock.advance(1_000);
    expect(asked.map((ids) => ids.length)).toEqual([200, 200, 50]);
    presence.refresh();
    await clock.advance(1_000);
    expect(asked).toHaveLength(6);
    api.handlers['presence.get'] = () => Promise.reject(lostSocket());
    await clock.advance(61_000);
    expect(statusOf('u0')).toBe('online');
    presence.stop();
    await clock.advance(600_000);
    expect(clock.pending).toBe(0);
  });
});

describe('typing', () => {
  test('[CLIENT-61] strokes are told every two seconds at most, and end by a message or by being given up', async () => {
    const told: Input<'typing.set'>[] = [];
    api.handlers['typing.set'] = (input) => {
      told.push(input);
      return { expiresInMs: 3_000 };
    };
    const typing = new OwnTyping({ api, clock, onProblem });
    for (let stroke = 0; stroke < 50; stroke += 1) {
      typing.typed('c');
      await clock.advance(100);
    }
    expect(told).toEqual(Array(3).fill({ channelId: 'c', typing: true }));
    typing.sent('c');
    typing.stopped('c');
    expect(told).toHaveLength(3);
    typing.typed('c');
    typing.typed('d');
    typing.stopped('c');
    expect(told.slice(3).map(({ channelId, typing: isTyping }) => [channelId, isTyping])).toEqual([
      ['c', true],
      ['d', true],
      ['c', false],
    ]);
  });
});

describe('receipts', () => {
  test('[CLIENT-60] what arrives is told once in a while, as one cursor; own messages and what is read are not', async () => {
    const told: unknown[] = [];
    api.handlers['receipt.delivered'] = ({ channelId, position }) => {
      told.push(`${channelId} delivered ${position}`);
      return { readTo: null, unread: 0 };
    };
    api.handlers['receipt.read'] = ({ channelId, position }) => {
      told.push(`${channelId} read ${position}`);
      return { readTo: position, unread: 0 };
    };
    const receipts = new OwnReceipts({ api, clock, random: () => 0.5 });
    for (const n of [1, 2, 3]) receipts.arrived(messageAt(`5-${n}`), 'me');
    receipts.arrived(messageAt('5-9', { senderId: 'me' }), 'me');
    receipts.arrived(messageAt('5-4', { channelId: 'd' }), 'me');
    receipts.read('d', '5-4');
    await clock.advance(3_000);
    expect(told).toEqual(['d read 5-4', 'c delivered 5-3']);
  });
});
