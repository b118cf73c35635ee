import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fixture, makeUsers, openFixture, uuid } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture?.[Symbol.asyncDispose]());

it('[PRES-23] when users were seen rises, never falls, for many users in one statement; unknown ones are left out', async () => {
  const [ann = '', bob = '', eve = ''] = await makeUsers(fixture.store, 3);
  const seen = async () => {
    const users = await fixture.store.archive.users([ann, bob, eve]);
    return [ann, bob, eve].map((id) => users.find((user) => user.id === id)?.lastSeenAt);
  };
  expect(await seen()).toEqual([null, null, null]);
  const at = 1_800_000_000_000;
  await fixture.store.seen.saw([
    { userId: ann, at },
    { userId: bob, at: at + 1 },
    { userId: uuid('user', 999), at },
  ]);
  expect(await seen()).toEqual([at, at + 1, null]);
  await fixture.store.seen.saw([
    { userId: ann, at: at + 5 },
    { userId: bob, at: at - 5 },
  ]);
  await fixture.store.seen.saw([]);
  expect(await seen()).toEqual([at + 5, at + 1, null]);
});

it('[PRES-23] two who write the same users the other way round do not wait for each other', async () => {
  const userIds = await makeUsers(fixture.store, 200);
  const rows = userIds.map((userId, i) => ({ userId, at: 1_900_000_000_000 + i }));
  await Promise.all(
    Array.from({ length: 20 }, (_, round) =>
      fixture.store.seen.saw(
        (round % 2 ? rows : rows.toReversed()).map(({ userId, at }) => ({ userId, at: at + round })),
      ),
    ),
  );
  const found = await fixture.store.archive.users(userIds.slice(0, 1));
  expect(found[0]?.lastSeenAt).toBe(1_900_000_000_019);
});
