import type { Position } from '@parley/protocol';
import { expect, test } from 'vitest';
import { OwnCursors } from '../src/own-cursors.ts';
import { FakeApi, lostSocket, refusal } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';

function scene() {
  const clock = new ManualClock();
  const api = new FakeApi();
  const told: Position[] = [];
  const answers: (() => void)[] = [];
  api.handlers['receipt.read'] = ({ position }) => {
    told.push(position);
    answers.shift()?.();
    return { readTo: position, unread: 0 };
  };
  const fail = (error: Error) =>
    answers.push(() => {
      throw error;
    });
  return {
    clock,
    told,
    fail,
    cursors: new OwnCursors({
      move: (channelId, position) => api.call('receipt.read', { channelId, position }),
      gatherMs: 400,
      clock,
      random: () => 0.5,
    }),
  };
}

test('[CLIENT-20] reading on is told once in a while, with the furthest position, and never goes back', async () => {
  const { clock, told, cursors } = scene();
  cursors.mark('c', '5-1');
  cursors.mark('c', '5-3');
  cursors.mark('c', '5-2');
  await clock.advance(1_000);
  expect(told).toEqual(['5-3']);
  cursors.mark('c', '5-3');
  await clock.advance(1_000);
  expect(told).toEqual(['5-3']);
});

test('[CLIENT-20] a server whose cursor is lower is told again; one whose cursor is higher is believed', async () => {
  const { clock, told, cursors } = scene();
  cursors.mark('c', '5-3');
  await clock.advance(1_000);
  cursors.told('c', '5-1');
  await clock.advance(1_000);
  expect(told).toEqual(['5-3', '5-3']);
  cursors.told('c', '5-9');
  cursors.mark('c', '5-8');
  cursors.told('other', '1-1');
  await clock.advance(1_000);
  expect(told).toHaveLength(2);
});

test('[CLIENT-20] a cursor that could not be told is told later; one that is refused is dropped', async () => {
  const { clock, told, fail, cursors } = scene();
  fail(lostSocket());
  cursors.mark('c', '5-1');
  await clock.advance(2_000);
  expect(told).toEqual(['5-1', '5-1']);
  fail(refusal('INVALID'));
  cursors.mark('c', '5-2');
  await clock.advance(60_000);
  expect(told).toHaveLength(3);
});
