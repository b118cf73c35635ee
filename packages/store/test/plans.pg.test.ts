import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Statement, statement } from '../src/statement.ts';
import { type Fixture, makeChannel, makeUsers, openFixture, uuid } from './fixture.ts';

/** 50,000 messages and as many changes in 50 channels of one user, in two epochs. */
let fixture: Fixture;
const reader = uuid('user', 1);
const channelId = uuid('channel', 25);
beforeAll(async () => {
  fixture = await openFixture();
  const userIds = await makeUsers(fixture.store, 10);
  for (let i = 1; i <= 50; i++) await makeChannel(fixture.store, { id: uuid('channel', i), userIds });
  await fixture.sql(`
    insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, sent_at)
    select
      ('10000000-0000-4000-8000-' || lpad((1 + i % 50)::text, 12, '0'))::uuid, 1 + i / 25000, 1 + i / 50, 1 + i / 50,
      gen_random_uuid(), ('20000000-0000-4000-8000-' || lpad((2 + i % 9)::text, 12, '0'))::uuid, gen_random_uuid(),
      case i % 1000 when 7 then 'Встретимся у памятника в полдень' when 8 then '明日の会議は十時からです' else md5(i::text) end, i
    from generate_series(0, 49999) i`);
  await fixture.sql(`
    insert into channel_head (channel_id, epoch, n, m, at)
    select distinct on (channel_id) channel_id, epoch, n, m, sent_at from messages order by channel_id, epoch desc, n desc`);
  await fixture.sql(`
    insert into log_change (channel_id, epoch, n, kind, operation_id, actor_id, at)
    select channel_id, epoch, n + 10000, 'x', gen_random_uuid(), sender_id, sent_at from messages`);
  await fixture.sql(`
    insert into attachments (id, channel_id, uploader_id, file_name, content_type, byte_size, storage_key, state, message_id, created_at)
    select gen_random_uuid(), channel_id, sender_id, 'a', 'image/png', 1, 'k', 'ready', id, sent_at from messages;
    insert into users (id, name, claims_hash, created_at)
    select gen_random_uuid(), case i % 1000 when 7 then 'Иванова ' || i when 8 then '山田' || i else md5(i::text) end, '', i
    from generate_series(1, 20000) i`);
  await fixture.sql('vacuum analyze');
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function planOf({ text }: Pick<Statement, 'text'>, values: unknown[]): Promise<string> {
  const rows = await fixture.sql(`explain (costs off) ${text}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** Tables that the plan reads whole, but for the small ones. */
function readWhole(plan: string): string[] {
  return [...plan.matchAll(/Seq Scan on (\w+)/g)]
    .map(([, table]) => table ?? '')
    .filter((table) => ['messages', 'log_change', 'channel_members', 'attachments', 'users'].includes(table));
}

describe('[RUN-56] no statement of a request reads a large table whole', () => {
  const cases: Record<string, unknown[]> = {
    page: [channelId, 2, 700, 21, 1],
    history: [channelId, reader, 2, 950, 3, 501],
    'channel-list': [reader, null, null, 51],
    channel: [channelId, reader],
    unread: [reader, [channelId, uuid('channel', 1)]],
    header: [channelId, 3],
    members: [channelId, null, null, 21],
    'members-by-id': [channelId, [reader]],
    message: [channelId, uuid('message', 1)],
    'count-after': [channelId, 2, 900, 2, 990],
    outcome: [channelId, reader, uuid('client', 1)],
    attachment: [uuid('message', 1)],
    'ready-attachment': [uuid('message', 1), 'image/png', 1],
    'use-attachments': [[uuid('message', 1), uuid('message', 2)], channelId, reader, uuid('message', 3)],
    'condemn-attachments': [1_000, uuid('message', 1), 200, 5, 5, null],
    'bury-attachments': [[uuid('message', 1)]],
    'channels-by-id': [reader, [channelId, uuid('channel', 1)], true, true],
    search: [reader, '%памятник%', null, null, null, null, 21],
    stats: [channelId, 49_000],
    'members-to-tell': [[channelId], 0, true, true, null],
    'claim-notices': [reader, ['webhook'], 0, 1_000, false, false, 6],
    'still-missed': [reader, channelId, 2, 900, 2, 990, 0],
    'digests-due': [50_000, 49_990, 49_000],
    person: [reader, 0],
    'expired-channels': [100, null, 100],
    'remove-expired': [channelId, 100, 1_000],
    'blank-deleted': [100, 1_000],
    'count-days': [49_900],
    heads: [[channelId]],
  };
  it.each(Object.entries(cases))('%s', async (name, values) => {
    const plan = await planOf(statement(name), values);
    // A channel list of a user with every channel, and ten members a channel, may well be read from end to end.
    const whole = readWhole(plan).filter((table) => table !== 'channel_members');
    expect(whole, plan).toEqual([]);
  });

  it('a page reads no more of the index than it shows', async () => {
    const plan = await planOf(statement('page'), [channelId, 2, 700, 21, 1]);
    expect(plan).toMatch(/Index Only Scan Backward using messages_pkey/);
    expect(plan).toMatch(/ROW\(epoch, n\) < ROW/);
  });

  it('a header and unread counts read positions from the index alone', async () => {
    expect(await planOf(statement('header'), [channelId, 3])).toMatch(/Index Only Scan using messages_pkey/);
    expect(await planOf(statement('unread'), [reader, [channelId]])).toMatch(/Index Only Scan using messages_pkey/);
  });

  it('[SRCH-9] a search asks the index for its words, whichever way it is planned', async () => {
    const { text } = statement('search');
    for (const word of ['%памятник%', '%会議は十%', '%会議 十時%']) {
      expect(await planOf({ text }, [reader, word, null, null, null, null, 21])).toMatch(/messages_body_trgm_index/);
    }
    // The plan for any word, which Postgres may keep after some calls.
    const generic = await fixture.sql(`explain (generic_plan, costs off) ${text}`);
    expect(JSON.stringify(generic)).toMatch(/messages_body_trgm_index/);
  });

  it('[SRCH-22] browsing reads the public channels alone, and looks for words in their index', async () => {
    await fixture.sql(`
      insert into channels (id, kind, name, member_limit, created_at)
      select gen_random_uuid(), case when i % 5 = 0 then 'public' else 'group' end, md5(i::text), 10, i
      from generate_series(1, 50000) i`);
    await fixture.sql('vacuum analyze channels');
    const browse = statement('browse');
    const all = await planOf(browse, [null, null, null, 21]);
    const words = await planOf(browse, ['%needle%', null, null, 21]);
    await fixture.sql('delete from channels where member_limit = 10');
    for (const plan of [all, words]) expect(plan).not.toMatch(/Seq Scan on channels/);
    expect(all).toMatch(/channels_public_/);
    expect(words).toMatch(/channels_public_words_index/);
  });

  it('control: a whole read is seen', async () => {
    const plan = await planOf({ text: 'select count(*) from messages where m > $1' }, [0]);
    expect(readWhole(plan)).toEqual(['messages']);
  });
});

describe('[USER-15] names in any script are found by the trigrams of the index', () => {
  it.each([
    ['Cyrillic, in the middle', '%ванов%'],
    ['Cyrillic, two letters where a word begins', 'Ив%'],
    ['Chinese and Japanese', '山田%'],
  ])('%s', async (_script, pattern) => {
    const { text } = statement('search-users');
    const values = [reader, pattern, pattern, 100];
    expect(await planOf({ text }, values)).toMatch(/users_name_trgm_index/);
    expect(await fixture.sql(text, values)).toHaveLength(20);
  });
});

it.each([
  ['Cyrillic', 'памятник'],
  ['Chinese and Japanese', '会議は十'],
])('[RUN-57] words in %s are found by the index', async (_script, word) => {
  const find = { text: 'select count(*) from messages where body like $1' };
  expect(await planOf(find, [`%${word}%`])).toMatch(/messages_body_trgm_index/);
  expect(await fixture.sql(find.text, [`%${word}%`])).toEqual([{ count: 50 }]);
});
