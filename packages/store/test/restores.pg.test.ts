import { partitionOf } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../src/store.ts';
import {
  batchOf,
  created,
  type Fixture,
  makeChannel,
  makeUsers,
  openEpoch,
  openFixture,
  place,
  uuid,
} from './fixture.ts';

const channelId = uuid('channel', 1);
const SERVER = { runId: 'run', replicationId: 'replication' };
let fixture: Fixture;
let store: Store;
let reader: string;
let epoch: number;

/** A copy that has the messages 1–5 of an epoch, in which feeds went on to 10. */
beforeEach(async () => {
  fixture = await openFixture();
  store = fixture.store;
  const [first = ''] = await makeUsers(store, 1);
  reader = first;
  await makeChannel(store, { id: channelId, userIds: [reader] });
  epoch = await openEpoch(store);
  await say([1, 2, 3, 4, 5]);
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function say(ns: readonly number[], at = epoch): Promise<void> {
  const messages = ns.map((n) => created({ channelId, place: place(at, n), senderId: reader }));
  const head = place(at, ns.at(-1) ?? 0);
  const heads = [{ partition: partitionOf(channelId), channelId, place: head }];
  await store.drain.commit(await batchOf(store, { created: messages, heads }));
}

const open = (options?: { lost: boolean }) => store.ledger.locked((lock) => lock.open(SERVER, options));

async function known(position: Position): Promise<boolean> {
  return (await store.archive.history({ channelId, userId: reader, after: position, limit: 100 })).known;
}

describe('[OPS-31] after a restore', () => {
  it('what the log saves later is not taken for what a reader beyond the copy had seen', async () => {
    await open({ lost: true });
    expect(await known(`${epoch}-5`)).toBe(true);
    // 6 and 7 were persisted after the copy and are lost, 8 to 10 were still in the log.
    await say([8, 9, 10]);
    expect(await known(`${epoch}-9`)).toBe(false);
    expect(await known(`${epoch}-5`)).toBe(false);
  });

  it('a header says so while its newest entry of before was saved by the log', async () => {
    const doubtful = async () => (await store.headers.header(channelId))?.doubtful;
    const next = await open({ lost: true });
    expect(await doubtful()).toBeUndefined();
    await say([8, 9, 10]);
    expect(await doubtful()).toBe(true);
    await say([1], next);
    expect(await doubtful()).toBeUndefined();
  });

  it('control: an epoch that begins for another reason keeps all that was seen', async () => {
    await open();
    await say([8, 9, 10]);
    expect(await known(`${epoch}-9`)).toBe(true);
    expect(await known(`${epoch}-5`)).toBe(true);
  });

  it('a Postgres of another timeline says by itself that it is one', async () => {
    await fixture.sql('update log_partition set pg_timeline = pg_timeline + 1');
    await open();
    await say([8]);
    expect(await known(`${epoch}-8`)).toBe(false);
  });

  it('what is said in the new epoch is known, also after the next one', async () => {
    const next = await open({ lost: true });
    await say([1, 2], next);
    expect(await known(`${next}-2`)).toBe(true);
    await open();
    expect(await known(`${next}-2`)).toBe(true);
  });

  it('a channel that was made after it is not held back', async () => {
    const next = await open({ lost: true });
    const later = uuid('channel', 2);
    await makeChannel(store, { id: later, userIds: [reader] });
    const message = created({ channelId: later, place: place(next, 1), senderId: reader });
    await store.drain.commit(await batchOf(store, { created: [message] }));
    const history = await store.archive.history({ channelId: later, userId: reader, after: `${next}-1`, limit: 9 });
    expect(history.known).toBe(true);
  });
});
