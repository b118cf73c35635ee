import { type DrainBatch, PoisonError, partitionOf } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../src/store.ts';
import { batchOf, change, created, type Fixture, moveOf, openEpoch, openFixture, place, uuid } from './fixture.ts';

let fixture: Fixture;
let store: Store;
let epoch: number;
beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
  epoch = await openEpoch(store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

let channels = 0;
const newChannel = () => uuid('channel', ++channels);

const messagesOf = (channelId: string) =>
  fixture.sql<{ n: number; body: string }>('select n, body from messages where channel_id = $1 order by epoch, n', [
    channelId,
  ]);

async function cursorOf(channelId: string) {
  const cursors = await store.drain.cursors();
  const cursor = cursors[partitionOf(channelId)];
  if (!cursor) throw new Error('no such partition');
  return cursor;
}

describe('the drain statement', () => {
  it('[PERSIST-51] writes messages, changes, heads and cursors of a batch together', async () => {
    const channelId = newChannel();
    const before = await cursorOf(channelId);
    const batch = await batchOf(
      store,
      {
        created: [created({ channelId, place: place(epoch, 1) }), created({ channelId, place: place(epoch, 3, 2) })],
        changes: [change({ channelId, place: place(epoch, 2, 1), kind: 'u', target: uuid('user', 1) })],
        heads: [{ partition: partitionOf(channelId), channelId, place: place(epoch, 3, 2) }],
      },
      { steps: 3 },
    );
    const { moved, superseded } = await store.drain.commit(batch);
    expect([...moved]).toEqual([partitionOf(channelId)]);
    expect(superseded).toEqual([]);
    expect(await messagesOf(channelId)).toEqual([
      { n: 1, body: 'message 1' },
      { n: 3, body: 'message 3' },
    ]);
    expect(await fixture.sql('select n, kind from log_change where channel_id = $1', [channelId])).toEqual([
      { n: 2, kind: 'u' },
    ]);
    expect(await fixture.sql('select epoch, n, m from channel_head where channel_id = $1', [channelId])).toEqual([
      { epoch, n: 3, m: 2 },
    ]);
    expect(await cursorOf(channelId)).toEqual({ ...before, readEpoch: epoch, readK: before.readK + 3 });
  });

  it('[PERSIST-52] writes nothing when the cursor is not as read', async () => {
    const channelId = newChannel();
    const batch = await batchOf(store, { created: [created({ channelId, place: place(epoch, 1) })] });
    await store.drain.commit(batch);
    const late = { ...batch, created: [created({ channelId, place: place(epoch, 2) })] };
    expect((await store.drain.commit(late)).moved.size).toBe(0);
    expect(await messagesOf(channelId)).toHaveLength(1);
  });

  it('[PERSIST-53] writes nothing when the epoch is not the one that Postgres opened', async () => {
    const channelId = newChannel();
    const batch = await batchOf(store, { created: [created({ channelId, place: place(epoch - 1, 1) })] });
    const zombie = { ...batch, moves: batch.moves.map((m) => ({ ...m, from: { ...m.from, epoch: epoch - 1 } })) };
    expect((await store.drain.commit(zombie)).moved.size).toBe(0);
    expect(await messagesOf(channelId)).toEqual([]);
  });

  it('[PERSIST-54] leaves out the partitions that moved, and writes the others', async () => {
    const [a, b] = [newChannel(), newChannel()];
    expect(partitionOf(a)).not.toBe(partitionOf(b));
    const batch = await batchOf(store, {
      created: [a, b].map((channelId) => created({ channelId, place: place(epoch, 1) })),
    });
    await store.drain.commit(await batchOf(store, { created: [created({ channelId: a, place: place(epoch, 1) })] }));
    expect([...(await store.drain.commit(batch)).moved]).toEqual([partitionOf(b)]);
    expect(await messagesOf(a)).toHaveLength(1);
    expect(await messagesOf(b)).toHaveLength(1);
  });

  it('[DEDUP-51] an entry whose message stands already is a hole that names the one that stands', async () => {
    const channelId = newChannel();
    const said = { channelId, id: uuid('message', 900_001), clientMsgId: uuid('client', 900_001) };
    const first = created({ ...said, place: place(epoch, 1) });
    await store.drain.commit(await batchOf(store, { created: [first] }));
    const again = created({ ...said, place: place(epoch, 2), body: 'again' });
    const { superseded } = await store.drain.commit(await batchOf(store, { created: [again] }));
    const { senderId, clientMsgId, partition } = again;
    expect(superseded).toEqual([
      { partition, channelId, position: `${epoch}-2`, senderId, clientMsgId, by: `${epoch}-1` },
    ]);
    expect(await messagesOf(channelId)).toEqual([{ n: 1, body: 'message 1' }]);
    const asked = [1, 2].map((n) => ({ channelId, position: `${epoch}-${n}` as const }));
    expect(await store.drain.holesAmong(asked)).toEqual([{ channelId, position: `${epoch}-2`, by: `${epoch}-1` }]);
  });

  it('[DEDUP-52] of twins in one batch the first stands, whatever their order in it', async () => {
    const channelId = newChannel();
    const said = { channelId, id: uuid('message', 900_002), clientMsgId: uuid('client', 900_002) };
    const twins = [3, 1, 2].map((n) => created({ ...said, place: place(epoch, n), body: `twin ${n}` }));
    const { superseded } = await store.drain.commit(await batchOf(store, { created: twins }));
    expect(await messagesOf(channelId)).toEqual([{ n: 1, body: 'twin 1' }]);
    const holes = superseded.map(({ position, by }) => ({ position, by }));
    expect(holes).toHaveLength(2);
    expect(holes).toContainEqual({ position: `${epoch}-2`, by: `${epoch}-1` });
    expect(holes).toContainEqual({ position: `${epoch}-3`, by: `${epoch}-1` });
  });

  it('[ORD-51] a position used twice is refused, and does not pass for a twin', async () => {
    const channelId = newChannel();
    await store.drain.commit(await batchOf(store, { created: [created({ channelId, place: place(epoch, 1) })] }));
    const other = await batchOf(store, { created: [created({ channelId, place: place(epoch, 1) })] });
    await expect(store.drain.commit(other)).rejects.toThrow(PoisonError);
    expect(await messagesOf(channelId)).toHaveLength(1);
  });

  it('[PERSIST-55] what Postgres cannot hold is poison, and nothing of its batch is written', async () => {
    const [good, bad] = [newChannel(), newChannel()];
    const before = await store.drain.cursors();
    const batch = await batchOf(store, {
      created: [
        created({ channelId: good, place: place(epoch, 1) }),
        created({ channelId: bad, place: place(epoch, 1), body: 'a\u0000b' }),
      ],
    });
    const error = await store.drain.commit(batch).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PoisonError);
    expect(String(error)).not.toMatch(/a.b|insert/);
    expect(await messagesOf(good)).toEqual([]);
    expect(await store.drain.cursors()).toEqual(before);
  });

  it('[PERSIST-56] a dead letter keeps the line as bytes and the reason, and its place is a hole', async () => {
    const channelId = newChannel();
    const partition = partitionOf(channelId);
    const line = new Uint8Array([0, 1, 255, 65]);
    const letter = {
      partition,
      epoch,
      k: 1,
      channelId,
      place: place(epoch, 1),
      senderId: uuid('user', 1),
      clientMsgId: uuid('client', 900_003),
      line,
      reason: 'not storable',
    };
    await store.drain.commit(
      await batchOf(store, {
        changes: [
          change({
            channelId,
            place: place(epoch, 1),
            kind: 'x',
            operationId: letter.clientMsgId,
            actorId: letter.senderId,
          }),
        ],
        deadLetters: [letter],
      }),
    );
    const [row] = await fixture.sql<{ line: Buffer; reason: string }>(
      'select line, reason from dead_letter where channel_id = $1',
      [channelId],
    );
    expect([...(row?.line ?? [])]).toEqual([...line]);
    expect(row?.reason).toBe('not storable');
    expect(await store.drain.holesAmong([{ channelId, position: `${epoch}-1` }])).toEqual([
      { channelId, position: `${epoch}-1`, by: null },
    ]);
  });
});

describe('two workers', () => {
  /** Both read the same cursors and try the same entries, again and again. */
  async function drainTogether(
    channelIds: readonly string[],
    commitOf: (s: Store) => (b: DrainBatch) => Promise<unknown>,
  ) {
    await using other = openStore({ DATABASE_URL: fixture.url }, { name: 'other-worker' });
    for (let n = 1; n <= 20; n++) {
      const batch = await batchOf(store, {
        created: channelIds.map((channelId) => created({ channelId, place: place(epoch, n) })),
      });
      await Promise.all([store, other].map((s) => commitOf(s)(batch)));
    }
  }

  it('[PERSIST-57] write each entry once, however they race', async () => {
    const channelIds = [newChannel(), newChannel(), newChannel()];
    await drainTogether(channelIds, (s) => s.drain.commit);
    for (const channelId of channelIds) {
      expect((await messagesOf(channelId)).map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    }
    const holes = await fixture.sql(`select from log_change where kind = 's' and channel_id = any($1::uuid[])`, [
      channelIds,
    ]);
    expect(holes).toEqual([]);
  });

  it('control: without the comparison of cursors the entries of the second would be holes or errors', async () => {
    const channelId = newChannel();
    const row = created({ channelId, place: place(epoch, 1) });
    const batch = await batchOf(store, { created: [row] });
    await store.drain.commit(batch);
    const cursor = await cursorOf(channelId);
    const unguarded = { ...batch, moves: [moveOf(cursor, 1)], created: [{ ...row, place: place(epoch, 2) }] };
    expect((await store.drain.commit(unguarded)).superseded).toHaveLength(1);
  });

  it('[PERSIST-58] do not wait for each other: a partition that is held is left out', async () => {
    const channelId = newChannel();
    const batch = await batchOf(store, { created: [created({ channelId, place: place(epoch, 1) })] });
    const hold = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holder = fixture.held(
      `select from log_partition where partition = ${partitionOf(channelId)} for update`,
      async () => {
        held.resolve();
        await hold.promise;
      },
    );
    await held.promise;
    expect((await store.drain.commit(batch)).moved.size).toBe(0);
    hold.resolve();
    await holder;
    expect((await store.drain.commit(batch)).moved.size).toBe(1);
  });
});
