import { randomUUID } from 'node:crypto';
import { partitionOf } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchOf, created, type Fixture, openEpoch, openFixture, place, uuid } from './fixture.ts';

let fixture: Fixture;
const channelId = uuid('channel', 1);
const uploaderId = uuid('user', 1);

beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function ready(over: { channelId?: string; uploaderId?: string } = {}): Promise<string> {
  const id = randomUUID();
  const file = { fileName: 'a', contentType: 'image/png', byteSize: 7, storageKey: `attachments/${id}` };
  await fixture.store.attachments.create({ id, channelId, uploaderId, ...file, ...over });
  await fixture.store.attachments.markReady(id, { contentType: 'image/gif', byteSize: 5 });
  return id;
}

const use = (ids: string[], messageId: string) =>
  fixture.store.attachments.use({ ids, channelId, uploaderId, messageId });

describe('an attachment', () => {
  it('[FILE-35] is announced, made ready once, and is then what was found', async () => {
    const { attachments } = fixture.store;
    const id = randomUUID();
    expect(await attachments.find(id)).toBeNull();
    const file = { id, channelId, uploaderId, fileName: 'a', contentType: 'image/png', byteSize: 7, storageKey: 'k' };
    await attachments.create(file);
    expect(await attachments.find(id)).toEqual({ ...file, state: 'pending', messageId: null });
    const found = { contentType: 'image/gif', byteSize: 5 };
    expect(await attachments.markReady(id, found)).toEqual({ ...file, ...found, state: 'ready', messageId: null });
    expect(await attachments.markReady(id, { contentType: 'text/html', byteSize: 1 })).toBeNull();
    expect(await attachments.find(id)).toMatchObject(found);
  });

  it('[FILE-22] is given to one message, with all the others or not at all', async () => {
    const [one, two, theirs, elsewhere] = await Promise.all([
      ready(),
      ready(),
      ready({ uploaderId: uuid('user', 2) }),
      ready({ channelId: uuid('channel', 2) }),
    ]);
    const [first, second] = [randomUUID(), randomUUID()];
    for (const wrong of [theirs, elsewhere, randomUUID()]) expect(await use([one, wrong], first)).toBeNull();
    expect((await use([two, one], second))?.map(({ id }) => id)).toEqual([two, one]);
    expect((await use([two, one], second))?.every(({ messageId }) => messageId === second)).toBe(true);
    expect(await use([one], first)).toBeNull();
  });

  it('[FILE-22] is given to one of many messages that want it at the same time', async () => {
    const ids = await Promise.all([ready(), ready()]);
    const wishes = Array.from({ length: 8 }, (_, i) => use(i % 2 ? ids : ids.toReversed(), randomUUID()));
    const given = (await Promise.all(wishes)).filter((found) => found !== null);
    expect(given).toHaveLength(1);
  });

  it('[FILE-36] is kept whole with its message', async () => {
    await openEpoch(fixture.store);
    const attachments = [
      { id: randomUUID(), fileName: 'é', contentType: 'image/png', byteSize: 3, thumbnailUrl: '/x' },
    ];
    const row = {
      ...created({ channelId, place: place(1, 1) }),
      attachments,
      attachmentIds: [attachments[0]?.id ?? ''],
    };
    const plain = created({ channelId, place: place(1, 2) });
    expect(row.partition).toBe(partitionOf(channelId));
    await fixture.store.drain.commit(await batchOf(fixture.store, { created: [row, plain] }));
    expect((await fixture.store.archive.message(channelId, row.id))?.attachments).toEqual(attachments);
    expect((await fixture.store.archive.message(channelId, plain.id))?.attachments).toEqual([]);
    expect(await fixture.sql('select extra from messages where id = $1', [plain.id])).toEqual([{ extra: null }]);
  });
});
