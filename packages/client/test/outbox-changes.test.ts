import type { Answer, Input } from '@parley/protocol';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Change, OutboxItem } from '../src/outbox/entry.ts';
import { indexedDbOutboxStorage } from '../src/outbox/indexed-db-storage.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { performOperation } from '../src/outbox/perform-operation.ts';
import { memoryOutboxStorage, type OutboxStorage } from '../src/outbox/storage.ts';
import { FakeApi, FakeLog, lostSocket, refusal } from './fake-server.ts';
import { ManualClock, settle } from './manual-clock.ts';

type Settled = Answer<'member.setRole'>;

let api: FakeApi;
let clock: ManualClock;
let storage: OutboxStorage;
let outbox: Outbox;
let calls: unknown[][];
/** Answers every change: one position after the other. */
let answer: () => Settled;

function start(): Outbox {
  outbox = new Outbox({
    perform: performOperation(api),
    storage,
    clock,
    random: () => 0.5,
    newId: () => `op${calls.length}-${Math.random()}`,
    onProblem: () => undefined,
  });
  return outbox;
}

const states = () => itemsOf().map((item) => item.state);
const itemsOf = (): readonly OutboxItem[] => outbox.itemsOf('c').getSnapshot();

beforeEach(async () => {
  api = new FakeApi();
  clock = new ManualClock();
  storage = memoryOutboxStorage();
  calls = [];
  let n = 0;
  answer = () => {
    n += 1;
    return { epoch: 5, position: `5-${n}`, level: 'accepted' };
  };
  const kinds = ['member.setRole', 'member.silence', 'channel.leave', 'member.remove'] as const;
  for (const kind of kinds) {
    api.handlers[kind] = (input: Input<(typeof kinds)[number]>) => {
      calls.push([kind, input]);
      return answer();
    };
  }
  api.handlers['reaction.add'] = (input) => {
    calls.push(['reaction.add', input]);
    return { ...answer(), reactions: [] };
  };
  await start().run();
});

const CHANGES: Change[] = [
  { kind: 'member.setRole', input: { userId: 'u', role: 'admin' } },
  { kind: 'member.silence', input: { userId: 'u', until: null } },
  { kind: 'reaction.add', input: { messageId: 'm', emoji: '👍' } },
  { kind: 'member.remove', input: { userId: 'u' } },
  { kind: 'channel.leave', input: {} },
];

describe('keeping changes', () => {
  test('[CLIENT-50] changes go in one line with messages, each under an id of its own, and stay until they are persisted', async () => {
    const log = new FakeLog();
    api.handlers['message.send'] = (input) => {
      calls.push(['message.send', input]);
      return log.send(input);
    };
    const ids = [outbox.enqueue('c', { kind: 'send', draft: { body: 'a' } })];
    for (const change of CHANGES) ids.push(outbox.enqueue('c', change));
    await settle();
    await clock.advance(0);
    expect(calls.map(([kind]) => kind)).toEqual(['message.send', ...CHANGES.map(({ kind }) => kind)]);
    expect(new Set(ids).size).toBe(6);
    expect(calls[1]).toEqual([
      'member.setRole',
      { channelId: 'c', userId: 'u', role: 'admin', op: { id: ids[1], epoch: 5 } },
    ]);
    expect(states()).toEqual(Array(6).fill('accepted'));
    expect(await storage.load()).toHaveLength(6);
    outbox.markPersisted('c', '5-3', []);
    expect(itemsOf().map(({ operation }) => operation.kind)).toEqual(['member.remove', 'channel.leave']);
    outbox.markPersisted('c', '5-5', []);
    await settle();
    expect(await storage.load()).toEqual([]);
  });

  test('[CLIENT-50] after an epoch change changes go again in their order, under their ids and the epoch of their first try', async () => {
    const ids = CHANGES.slice(0, 3).map((change) => outbox.enqueue('c', change));
    await settle();
    const first = calls.splice(0);
    answer = () => ({ epoch: 6, position: `6-${calls.length}`, level: 'accepted' });
    outbox.sees('c', 6);
    await settle();
    expect(calls.map(([kind]) => kind)).toEqual(first.map(([kind]) => kind));
    expect(first[2]).toMatchObject(['reaction.add', { op: { id: ids[2] } }]);
    expect(calls[2]).toMatchObject(['reaction.add', { op: { id: ids[2], epoch: 6, triedIn: 5 } }]);
  });

  test('[CLIENT-51] what changed nothing, and what is answered as persisted, is settled with its answer', async () => {
    answer = () => ({ epoch: 5, position: null, level: 'accepted' });
    const settled: OutboxItem[] = [];
    outbox.observe('c', (items) => settled.push(...items));
    const id = outbox.enqueue('c', { kind: 'reaction.add', input: { messageId: 'm', emoji: '👍' } });
    await settle();
    answer = () => ({ epoch: 5, position: '4-7', level: 'persisted' });
    outbox.enqueue('c', { kind: 'member.remove', input: { userId: 'u' } });
    await settle();
    expect(itemsOf()).toEqual([]);
    expect(settled).toMatchObject([{ id, acceptance: null }, { acceptance: { position: '4-7' } }]);
  });

  test('[CLIENT-51] a mark of another epoch settles no change; a hole sends it again', async () => {
    outbox.enqueue('c', { kind: 'channel.leave', input: {} });
    await settle();
    outbox.markPersisted('c', '4-9', []);
    expect(states()).toEqual(['accepted']);
    outbox.markPersisted('c', '5-1', ['5-1']);
    await settle();
    expect(calls).toHaveLength(2);
  });

  test('[CLIENT-51] an invitation is settled with its answer: it is no entry of the log', async () => {
    api.handlers['channel.invite'] = () => ({ epoch: 5, invited: ['u'] });
    outbox.enqueue('c', { kind: 'channel.invite', input: { userIds: ['u'] } });
    await settle();
    expect(itemsOf()).toEqual([]);
  });
});

test('[CLIENT-66] what was accepted, and is repeated after one has left, is settled; control: what was not accepted is refused', async () => {
  outbox.enqueue('c', { kind: 'member.silence', input: { userId: 'u', until: null } });
  await settle();
  answer = () => {
    throw refusal('NOT_FOUND');
  };
  await clock.advance(5_100);
  expect(calls).toHaveLength(2);
  expect(itemsOf()).toEqual([]);
  outbox.enqueue('c', { kind: 'member.silence', input: { userId: 'u', until: null } });
  await settle();
  expect(states()).toEqual(['failed']);
});

describe('stored changes', () => {
  test('[CLIENT-52] changes survive a reload, and go before new ones', async () => {
    storage = indexedDbOutboxStorage('u', new IDBFactory());
    await start().run();
    answer = () => {
      throw lostSocket();
    };
    for (const change of CHANGES.slice(0, 2)) outbox.enqueue('c', change);
    await settle();
    outbox.stop();
    await settle();
    calls = [];
    answer = () => ({ epoch: 5, position: `5-${calls.length}`, level: 'accepted' });
    start();
    await clock.advance(10);
    outbox.enqueue('c', { kind: 'channel.leave', input: {} });
    await outbox.run();
    await settle();
    expect(calls.map(([kind]) => kind)).toEqual(['member.setRole', 'member.silence', 'channel.leave']);
  });

  test('[CLIENT-52] what a client stored that knew only messages is read and sent', async () => {
    const log = new FakeLog();
    api.handlers['message.send'] = (input) => log.send(input);
    // As it was written then.
    const stored =
      '{"id":"m1","channelId":"c","order":1,"createdAt":1,"operation":{"kind":"send","draft":{"body":"old"}},"triedIn":4,"refusal":null}';
    await storage.put(JSON.parse(stored));
    await start().run();
    await settle();
    expect(log.calls).toMatchObject([{ channelId: 'c', clientMsgId: 'm1', body: 'old', op: { triedIn: 4 } }]);
  });
});

describe('messages that were lost with the log', () => {
  const like = (messageId: string): Change => ({ kind: 'reaction.add', input: { messageId, emoji: '👍' } });
  const unlike = (messageId: string): Change => ({ kind: 'reaction.remove', input: { messageId, emoji: '👍' } });
  const there = new Set<string>();
  /** As a view of the channel is told. */
  const newEpoch = () => {
    itemsOf();
    outbox.sees('c', 4);
    outbox.sees('c', 5);
  };

  beforeEach(() => {
    there.clear();
    for (const kind of ['reaction.add', 'reaction.remove'] as const) {
      api.handlers[kind] = ({ messageId }) => {
        if (!there.has(messageId)) throw refusal('NOT_FOUND');
        calls.push([kind, messageId]);
        return { ...answer(), reactions: [] };
      };
    }
  });

  test('[CLIENT-65] in a new epoch what needs a message waits for it, in its order, and holds up nothing else', async () => {
    newEpoch();
    for (const change of [like('lost'), unlike('lost'), like('here')]) outbox.enqueue('c', change);
    there.add('here');
    await clock.advance(4_000);
    expect(calls).toEqual([['reaction.add', 'here']]);
    expect(states()).toEqual(['pending', 'pending', 'accepted']);
    await clock.advance(15_000);
    const before = clock.now();
    outbox.enqueue('c', { kind: 'channel.leave', input: {} });
    await settle();
    // Whatever the others wait for, it goes at once.
    expect([calls.at(-1)?.[0], clock.now()]).toEqual(['channel.leave', before]);
    there.add('lost');
    await clock.advance(30_000);
    expect(calls.filter(([, id]) => id === 'lost').slice(0, 2)).toEqual([
      ['reaction.add', 'lost'],
      ['reaction.remove', 'lost'],
    ]);
    expect(states()).toEqual(Array(4).fill('accepted'));
  });

  test('[CLIENT-65] a message that was deleted is not waited for', async () => {
    newEpoch();
    outbox.enqueue('c', like('lost'));
    outbox.enqueue('c', like('deleted'));
    await settle();
    outbox.messageDeleted('c', 'deleted');
    await settle();
    expect(states()).toEqual(['pending', 'failed']);
    outbox.enqueue('c', unlike('deleted'));
    await settle();
    expect(states()).toEqual(['pending', 'failed', 'failed']);
  });

  test('[CLIENT-65] a message that does not come again is not waited for longer than half a minute', async () => {
    newEpoch();
    outbox.enqueue('c', like('lost'));
    await clock.advance(25_000);
    expect(states()).toEqual(['pending']);
    await clock.advance(30_000);
    expect(states()).toEqual(['failed']);
  });

  test('[CLIENT-65] control: without a new epoch nothing can have been lost, and the change is refused at once', async () => {
    outbox.sees('c', 5);
    outbox.enqueue('c', like('lost'));
    await settle();
    expect(states()).toEqual(['failed']);
  });
});
