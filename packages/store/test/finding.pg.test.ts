import type { CreatedRow } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  type Said,
  uuid,
} from './fixture.ts';

let fixture: Fixture;
let store: Store;
let epoch: number;
let userIds: string[];
let n = 0;
const user = (i: number) => userIds[i] ?? '';
const mine = uuid('channel', 1);
const second = uuid('channel', 2);
const foreign = uuid('channel', 3);
const archived = uuid('channel', 4);

beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
  userIds = await makeUsers(store, 6);
  epoch = await openEpoch(store);
  await makeChannel(store, { id: mine, userIds: [user(0), user(1), user(2)] });
  await makeChannel(store, { id: second, userIds: [user(0), user(1)] });
  await makeChannel(store, { id: foreign, userIds: [user(3), user(4)] });
  await makeChannel(store, { id: archived, userIds: [user(0)] });
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function say(body: string, more: Partial<Said> & Partial<CreatedRow> = {}): Promise<string> {
  const { channelId = mine, place: at = place(epoch, ++n), ...rest } = more;
  const row = { ...created({ channelId, place: at, senderId: user(0), ...rest, body }), ...rest };
  await store.drain.commit(await batchOf(store, { created: [row] }));
  return row.id;
}

async function find(query: string, more: Partial<Parameters<Store['archive']['search']>[0]> = {}) {
  const search = { userId: user(0), query, channelId: null, senderId: null, cursor: null, limit: 20, ...more };
  return store.archive.search(search);
}
const bodies = async (...args: Parameters<typeof find>) => (await find(...args)).items.map(({ body }) => body);

describe('message.search', () => {
  it('[SRCH-2] finds words anywhere in a body, whatever their case, newest first', async () => {
    await say('The quick brown Fox');
    await say('a FOX again', { channelId: second });
    expect(await bodies('fox')).toEqual(['a FOX again', 'The quick brown Fox']);
    expect(await bodies('ICK BRO')).toEqual(['The quick brown Fox']);
  });

  it.each([
    ['Cyrillic', 'Встретимся у ПАМЯТНИКА', ['памятник', 'ВСТРЕТ', 'у памят']],
    ['Chinese', '我们明天在学校开会', ['明天在', '学校开会']],
    ['Japanese', '明日の会議は十時からです', ['会議は', '十時か']],
    ['Korean', '내일 회의가 있습니다', ['회의가', '있습니다']],
    ['Arabic', 'نلتقي غدا في المدرسة', ['المدرسة']],
    ['two-character words', '明日 会議 十時', ['会議 十時', '明日 会議']],
    ['emoji', 'party 🎉🎉🎉 now', ['🎉🎉🎉']],
  ])('[SRCH-3] finds %s', async (_script, body, queries) => {
    await say(body);
    for (const query of queries) expect(await bodies(query)).toEqual([body]);
    expect(await bodies(`${queries[0]}zz`)).toEqual([]);
  });

  it('[SRCH-4] takes wildcards for what they look like', async () => {
    await say('100% sure_thing');
    await say('1000 sureXthing');
    await say('C:\\temp\\x');
    expect(await bodies('100% s')).toEqual(['100% sure_thing']);
    expect(await bodies('sure_thing')).toEqual(['100% sure_thing']);
    expect(await bodies('%%%')).toEqual([]);
    expect(await bodies('___')).toEqual([]);
    expect(await bodies('\\temp\\')).toEqual(['C:\\temp\\x']);
  });

  it('[SRCH-5] leaves out deleted and encrypted messages', async () => {
    const gone = await say('a secret that was deleted');
    await say('a secret that stays');
    const sealed = { ciphertext: 'x', nonce: 'n', ephemeralPublicKey: 'k' };
    await say('a secret in a sealed letter', { encrypted: sealed });
    expect(await bodies('a secret')).toHaveLength(2);
    await fixture.sql('update messages set deleted_at = 1 where id = $1', [gone]);
    expect(await bodies('a secret')).toEqual(['a secret that stays']);
  });

  it('[SRCH-6] sees the caller’s channels only, and only while he is a member', async () => {
    await say('a password here', { channelId: foreign, senderId: user(3) });
    await say('a password there', { channelId: second });
    expect(await bodies('password')).toEqual(['a password there']);
    expect(await bodies('password', { channelId: foreign })).toEqual([]);
    expect(await bodies('password', { userId: user(1) })).toEqual(['a password there']);
    await fixture.sql('delete from channel_members where channel_id = $1 and user_id = $2', [second, user(1)]);
    expect(await bodies('password', { userId: user(1) })).toEqual([]);
  });

  it('[SRCH-7] in one channel or by one sender when asked, and in archived channels too', async () => {
    await say('tortoise one', { senderId: user(1) });
    await say('tortoise two', { channelId: second });
    await say('tortoise three', { channelId: archived });
    await fixture.sql('update channels set archived_at = 1 where id = $1', [archived]);
    expect(await bodies('tortoise')).toEqual(['tortoise three', 'tortoise two', 'tortoise one']);
    expect(await bodies('tortoise', { channelId: second })).toEqual(['tortoise two']);
    expect(await bodies('tortoise', { senderId: user(1) })).toEqual(['tortoise one']);
    expect(await bodies('tortoise', { channelId: second, senderId: user(1) })).toEqual([]);
  });

  it('[SRCH-8] pages neither repeat nor leave out, also among messages of one millisecond', async () => {
    for (let i = 0; i < 25; i++) {
      const at = { epoch, n: ++n, m: n, at: 5_000_000 + Math.floor(i / 10) };
      await say(`page me ${i}`, { place: at, channelId: i % 2 ? mine : second });
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await find('page me', { cursor, limit: 4 });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(25);
    expect(seen).toHaveLength(25);
    await expect(find('page me', { cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID' });
  });

  it('says where the heads of its channels were', async () => {
    await say('heads up', { channelId: second });
    await say('heads up', { channelId: mine });
    const { heads } = await find('heads up');
    expect(heads).toEqual([
      { channelId: mine, head: `${epoch}-${n}` },
      { channelId: second, head: `${epoch}-${n - 1}` },
    ]);
  });
});

describe('channel.browse', () => {
  const open = Array.from({ length: 7 }, (_, i) => uuid('channel', 100 + i));
  const browse = (query: string | null, cursor: string | null = null, limit = 20) =>
    store.archive.browse({ query, cursor, limit });

  beforeAll(async () => {
    for (const id of open) await makeChannel(store, { id, userIds: [user(5)] });
    await fixture.sql(`update channels set kind = 'public' where id = any($1::uuid[])`, [open]);
    const name = (i: number, text: string, topic: string | null) =>
      fixture.sql('update channels set name = $2, topic = $3, created_at = $4 where id = $1', [
        open[i],
        text,
        topic,
        i,
      ]);
    await name(0, 'Gardening', 'roses and 100% organic');
    await name(1, 'Садоводство', null);
    await name(2, 'cooking', 'from the GARDEN to the table');
    for (const i of [3, 4, 5, 6]) await name(i, `other ${i}`, null);
    await fixture.sql('update channels set archived_at = 1 where id = $1', [open[6]]);
    await say('newest', { channelId: open[0] ?? '', senderId: user(5) });
  });

  it('[SRCH-20] lists public channels that are not archived for anybody, newest activity first, in pages', async () => {
    const all = await browse(null);
    expect(all.items.map(({ id }) => id)).toEqual([0, 5, 4, 3, 2, 1].map((i) => open[i]));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await browse(null, cursor, 4);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(all.items.map(({ id }) => id));
  });

  it('[SRCH-21] finds them by words in name or topic, whatever their case or script', async () => {
    expect((await browse('garden')).items.map(({ id }) => id)).toEqual([open[0], open[2]]);
    expect((await browse('САДОВОД')).items.map(({ id }) => id)).toEqual([open[1]]);
    expect((await browse('100%')).items.map(({ id }) => id)).toEqual([open[0]]);
    expect((await browse('%')).items.map(({ id }) => id)).toEqual([open[0]]);
    expect((await browse('g')).items.length).toBeGreaterThan(1);
  });
});

describe('channel.stats', () => {
  const DAY_MS = 86_400_000;
  const channelId = uuid('channel', 200);
  const today = Math.floor(Date.now() / DAY_MS);
  const since = (today - 29) * DAY_MS;
  const at = (k: number, ms: number) => ({ epoch, n: k, m: k, at: ms });
  const dayOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

  beforeAll(() => makeChannel(store, { id: channelId, userIds: [user(0), user(1), user(2)] }));

  it('[STAT-1] of an empty channel are zeros', async () => {
    const empty = { messages: 0, members: 3, activeMembers: 0, perDay: [] };
    expect(await store.archive.stats(channelId, since)).toEqual(empty);
  });

  it('[STAT-2] count messages in all and per day of the last 30 in UTC, and the members who said them', async () => {
    const said: [number, number, number][] = [
      [1, (today - 40) * DAY_MS, 2],
      [2, since - 1, 1],
      [3, since, 0],
      [4, since + DAY_MS - 1, 0],
      [5, today * DAY_MS, 1],
      [6, today * DAY_MS + 1, 3],
    ];
    for (const [k, ms, sender] of said) {
      await say(`${k}`, { channelId, place: at(k, ms), senderId: user(sender) });
    }
    expect(await store.archive.stats(channelId, since)).toEqual({
      messages: 6,
      members: 3,
      // The third spoke too long ago, and the fourth is no member.
      activeMembers: 2,
      perDay: [
        { day: dayOf(today - 29), messages: 2 },
        { day: dayOf(today), messages: 2 },
      ],
    });
  });
});
