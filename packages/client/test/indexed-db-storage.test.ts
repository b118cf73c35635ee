import { IDBFactory } from 'fake-indexeddb';
import { expect, test } from 'vitest';
import type { OutboxEntry } from '../src/outbox/entry.ts';
import { indexedDbOutboxStorage } from '../src/outbox/indexed-db-storage.ts';

const entry = (id: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  id,
  channelId: 'c',
  order: 1,
  createdAt: 1,
  operation: { kind: 'send', draft: { body: id } },
  triedIn: null,
  refusal: null,
  ...more,
});

test('[CLIENT-10] entries survive the page that wrote them; a later write of the same id replaces the first', async () => {
  const factory = new IDBFactory();
  const page = indexedDbOutboxStorage('u1', factory);
  await Promise.all([
    page.put(entry('a')),
    page.put(entry('b')),
    page.put(entry('a', { triedIn: 5 })),
    page.remove('b'),
  ]);
  const reloaded = indexedDbOutboxStorage('u1', factory);
  expect(await reloaded.load()).toEqual([entry('a', { triedIn: 5 })]);
});

test('[CLIENT-11] clearing leaves nothing, and another user’s entries are not seen', async () => {
  const factory = new IDBFactory();
  const mine = indexedDbOutboxStorage('u1', factory);
  const theirs = indexedDbOutboxStorage('u2', factory);
  await mine.put(entry('a'));
  await theirs.put(entry('b'));
  await mine.clear();
  expect(await mine.load()).toEqual([]);
  expect(await theirs.load()).toEqual([entry('b')]);
});
