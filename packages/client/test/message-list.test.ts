import { comparePositions, type Position } from '@parley/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageList } from '../src/channel/message-list.ts';
import { messageAt } from './fake-server.ts';

const at = (list: MessageList) => list.messages.map((message) => message.position);

test('[CLIENT-12] messages are in the order of their positions, whatever the order they come in', () => {
  const position = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(fc.array(position, { maxLength: 60 }), (places) => {
      const list = new MessageList();
      const positions = places.map(([epoch, n]): Position => `${epoch}-${n}`);
      for (const each of positions) list.add(messageAt(each));
      expect(at(list)).toEqual([...new Set(positions)].toSorted(comparePositions));
    }),
  );
});

test('[CLIENT-12] the list is the same for every order in which pages, live messages and repetitions come', () => {
  const entry = fc.record({
    author: fc.constantFrom('a', 'b'),
    id: fc.integer({ min: 1, max: 6 }),
    n: fc.integer({ min: 1, max: 1_000 }),
  });
  // Positions belong to one message each, as the server promises.
  const entries = fc.uniqueArray(entry, { selector: (each) => each.n, maxLength: 20 });
  const orders = entries.chain((each) =>
    fc.tuple(
      fc.shuffledSubarray(each, { minLength: each.length }),
      fc.shuffledSubarray([...each, ...each], { minLength: each.length * 2 }),
    ),
  );
  fc.assert(
    fc.property(orders, ([once, twice]) => {
      const build = (source: typeof once) => {
        const list = new MessageList();
        for (const { author, id, n } of source)
          list.add(messageAt(`1-${n}`, { senderId: author, clientMsgId: `${id}` }));
        return list.messages;
      };
      expect(build(twice)).toEqual(build(once));
      const keys = build(once).map((message) => `${message.senderId} ${message.clientMsgId}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test('[CLIENT-13] a message that was lost and comes again at a new position is moved, not doubled', () => {
  const list = new MessageList();
  list.add(messageAt('5-1', { clientMsgId: 'lost' }));
  list.add(messageAt('5-2', { clientMsgId: 'kept' }));
  list.add(messageAt('6-1', { clientMsgId: 'lost' }));
  expect(list.messages.map((message) => [message.clientMsgId, message.position])).toEqual([
    ['kept', '5-2'],
    ['lost', '6-1'],
  ]);
  list.add(messageAt('5-1', { clientMsgId: 'lost' }));
  expect(at(list)).toEqual(['5-2', '6-1']);
});

test('[CLIENT-13] a change that names the message at its new position moves it; one of its old position changes nothing', () => {
  const list = new MessageList();
  list.add(messageAt('5-1', { id: 'lost', clientMsgId: 'lost', persisted: false }));
  list.add(messageAt('5-2'));
  const at = (position: Position, body: string) => {
    const message = messageAt(position, { id: 'lost', clientMsgId: 'lost', body, persisted: false });
    list.change({ messageId: 'lost', change: () => message });
  };
  at('6-1', 'again');
  at('5-1', 'late');
  expect(list.messages.map(({ position, body }) => [position, body])).toEqual([
    ['5-2', 'body 5-2'],
    ['6-1', 'again'],
  ]);
});

test('[CLIENT-13] the same id from another sender is another message', () => {
  const list = new MessageList();
  list.add(messageAt('5-1', { clientMsgId: 'x', senderId: 'a' }));
  list.add(messageAt('5-2', { clientMsgId: 'x', senderId: 'b' }));
  expect(at(list)).toEqual(['5-1', '5-2']);
});

test('[CLIENT-14] a mark persists what is at or below it in its epoch, also what comes later, but no hole', () => {
  const list = new MessageList();
  for (const position of ['4-9', '5-1', '5-2', '5-4'] as const) list.add(messageAt(position, { persisted: false }));
  list.markPersisted('5-3', ['5-2']);
  list.add(messageAt('5-3', { persisted: false }));
  expect(list.messages.filter((message) => message.persisted).map((message) => message.position)).toEqual([
    '5-1',
    '5-3',
  ]);
});

test('[CLIENT-14] a superseded message goes where its twin stands, a rejected one goes away', () => {
  const list = new MessageList();
  list.add(messageAt('5-1'));
  list.add(messageAt('5-2', { clientMsgId: 'twin' }));
  list.supersede('5-2', '4-1');
  expect(at(list)).toEqual(['4-1', '5-1']);
  list.supersede('4-1', null);
  expect(at(list)).toEqual(['5-1']);
});
