import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Admin, onLogStore, sqlOf, startAdmin, until } from './admin-rig.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let admin: Admin;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  admin = await startAdmin(stack);
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

async function person(name: string, claims: object = {}): Promise<Chatter> {
  const sub = randomUUID();
  const token = await stack.token(sub, { name, ...claims });
  const chatter = await stack.user(sub, { token });
  await chatter.trpc.user.me.query();
  return { ...chatter, userId: sub, token };
}
const group = (owner: Chatter, ...others: Chatter[]) =>
  owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: others.map((other) => other.userId) });

/** Every place of Postgres that has the text somewhere in a row: `table`. */
async function tablesWith(words: string): Promise<string[]> {
  const tables = await sqlOf<{ name: string }>(
    stack,
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      // Bytes are shown in hexadecimal.
      const like = "t::text like '%' || $1 || '%' or t::text like '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'";
      const rows = await sqlOf(stack, `select 1 from "${name}" t where ${like} limit 1`, [words]);
      return rows.length > 0 ? [name] : [];
    }),
  );
  return found.flat().sort();
}

/** Every key of the log store that has the text in its value. */
async function keysWith(words: string): Promise<string[]> {
  return onLogStore(stack, async (redis) => {
    const found: string[] = [];
    for (const key of await redis.keys('*')) {
      const dump = await redis.call('DUMP', key);
      const type = await redis.type(key);
      const value =
        type === 'stream'
          ? await redis.xrange(key, '-', '+')
          : type === 'hash'
            ? await redis.hgetall(key)
            : String(dump);
      if (JSON.stringify(value).includes(words)) found.push(key);
    }
    return found;
  });
}

const erased = (userId: string) =>
  until(
    async () => (await admin.call(`GET /v1/users/${userId}/erasure`)).body,
    (erasure) => erasure.completedAt !== null && erasure.completedAt !== undefined,
    'the erasure is done',
  );

/** Runs `npm run erasures`. */
async function erasuresCommand(...userIds: string[]): Promise<string> {
  const args = ['--conditions=@parley/source', 'apps/api/src/erasures.ts', ...userIds];
  const env = { PATH: process.env.PATH ?? '', ...stack.env };
  return (await promisify(execFile)(process.execPath, args, { env })).stdout;
}

describe('erasure', () => {
  it('[ADMIN-40] leaves no word and no name of the user, in no table of Postgres and in no key of the log store', async () => {
    const [name, secret] = [`Name${randomUUID().slice(0, 8)}`, `secret${randomUUID().slice(0, 8)}`];
    const email = `${randomUUID().slice(0, 8)}@example.org`;
    const leaver = await person(name, { email });
    const reader = await person('Reader');
    const [here, left] = [await group(reader, leaver), await group(reader, leaver)];
    const direct = await leaver.trpc.channel.create.mutate({ kind: 'direct', memberIds: [reader.userId] });
    await leaver.trpc.user.block.mutate({ userId: (await person('Pest')).userId });
    await leaver.trpc.user.update.mutate({ statusText: `status ${secret}` });
    for (const { id } of [here, left, direct]) {
      await leaver.trpc.message.send.mutate(text(id, `${secret} one`));
      await reader.trpc.message.send.mutate(text(id, 'an answer'));
      await leaver.trpc.message.send.mutate({ ...text(id, `${secret} two`), ack: 'persisted' });
    }
    await leaver.trpc.member.remove.mutate({ channelId: left.id, userId: leaver.userId });
    await sqlOf(
      stack,
      "insert into dead_letter values (0, 1, $1, null, null, null, null, null, convert_to($2, 'UTF8'), 'odd', 1)",
      [Date.now(), `1 c garbage {"senderId":"${leaver.userId}","body":"${secret}"`],
    );
    // Still on its way to Postgres when the erasure begins.
    await leaver.trpc.message.send.mutate(text(here.id, `${secret} three`));
    // Control: all of it is there to be found.
    expect(await tablesWith(secret)).toEqual(['dead_letter', 'messages', 'users']);
    expect(await tablesWith(email)).toEqual(['users']);
    expect(await keysWith(secret)).not.toEqual([]);

    const answer = await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    expect(answer).toMatchObject({ status: 202, body: { userId: leaver.userId, completedAt: null } });
    const { erased: counts } = await erased(leaver.userId);
    expect(counts).toMatchObject({ messages: 7, blocks: 1, dead_letter: 1 });
    for (const words of [secret, name, email]) {
      expect(await tablesWith(words), words).toEqual([]);
      expect(await keysWith(words), words).toEqual([]);
    }
    expect(await sqlOf(stack, 'select 1 from channel_members where user_id = $1', [leaver.userId])).toEqual([]);
  });

  it('[ADMIN-41] keeps what was said at its place, blank and deleted, by a deleted user; what others said is whole, and so are their counts', async () => {
    const [leaver, reader] = [await person('Leaver'), await person('Reader')];
    const { id } = await group(reader, leaver);
    await reader.trpc.message.send.mutate(text(id, 'first'));
    const gone = await leaver.trpc.message.send.mutate({ ...text(id, 'to be forgotten'), mentions: [reader.userId] });
    await reader.trpc.message.send.mutate({ ...text(id, 'last'), ack: 'persisted' });
    const before = await reader.trpc.message.page.query({ channelId: id });
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await erased(leaver.userId);
    const after = await reader.trpc.message.page.query({ channelId: id });
    expect(after.items.map(({ position }) => position)).toEqual(before.items.map(({ position }) => position));
    expect(after.items.map(({ body }) => body)).toEqual(['first', '', 'last']);
    expect(after.items[1]).toMatchObject({
      id: gone.messageId,
      deletedAt: expect.any(Number),
      mentions: [],
      senderId: leaver.userId,
    });
    const [user] = await reader.trpc.user.get.query({ userIds: [leaver.userId] });
    expect(user).toMatchObject({
      id: leaver.userId,
      name: 'Deleted user',
      avatarUrl: null,
      statusText: null,
      lastSeenAt: null,
    });
    const summary = await reader.trpc.channel.get.query({ channelId: id });
    expect(summary).toMatchObject({ unread: 0, memberCount: 1, lastMessage: { body: 'last' } });
    expect(summary.members.map((member) => member.id)).toEqual([reader.userId]);
    await reader.trpc.message.send.mutate({ ...text(id, 'and on'), ack: 'persisted' });
  });

  it('[CACHE-16] no copy tells what he said or was called, though all of it was read just before', async () => {
    const [leaver, reader] = [await person('Leaver'), await person('Reader')];
    const { id } = await group(reader, leaver);
    const word = `word${randomUUID().slice(0, 8)}`;
    for (let i = 0; i < 230; i++) await leaver.trpc.message.send.mutate(text(id, `${word} ${i}`));
    await leaver.trpc.message.send.mutate({ ...text(id, word), ack: 'persisted' });
    const readAll = async () => {
      const epoch = (await reader.trpc.channel.get.query({ channelId: id })).head?.split('-')[0];
      return JSON.stringify([
        (await reader.trpc.message.page.query({ channelId: id, after: `${epoch}-0` as '0-0', limit: 5 })).items,
        await reader.trpc.channel.list.query(),
        (await reader.trpc.message.search.query({ query: word })).items,
        await reader.trpc.user.get.query({ userIds: [leaver.userId] }),
        await reader.trpc.user.contacts.query(),
      ]);
    };
    await until(readAll, (seen) => seen.split(word).length > 20, 'everything is there to be kept');
    expect(await readAll()).toContain('Leaver');
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await erased(leaver.userId);
    expect(await readAll()).not.toMatch(new RegExp(`${word}|Leaver`));
  });

  it('[ADMIN-42] the user comes in no more, by no token, and nobody makes a channel with him', async () => {
    const [leaver, other] = [await person('Leaver'), await person('Other')];
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await until(
      () => leaver.closed,
      (codes) => codes.includes(4503),
      'his session ends',
    );
    await erased(leaver.userId);
    const token = await stack.token(leaver.userId, { name: 'Back again', iat: Math.floor(Date.now() / 1_000) + 3 });
    const back = await stack.user('x', { token });
    expect(await failureOf(back.trpc.user.me.query())).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await failureOf(stack.http(token).user.me.query())).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await admin.call(`GET /v1/users/${leaver.userId}`)).body).toMatchObject({
      name: 'Deleted user',
      email: null,
    });
    expect((await admin.call(`POST /v1/users/${leaver.userId}/enable`)).status).toBe(404);
    for (const kind of ['direct', 'group'] as const) {
      const made = other.trpc.channel.create.mutate({ kind, memberIds: [leaver.userId] });
      expect(await failureOf(made)).toMatchObject({ code: 'NOT_FOUND' });
    }
    const { id: channelId } = await group(other);
    const added = other.trpc.member.add.mutate({ channelId, userIds: [leaver.userId] });
    expect(await failureOf(added)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[ADMIN-43] who has a channel open or an inbox is told to look anew, and is told nothing of it again from anybody’s memory', async () => {
    const [leaver, reader] = [await person('Leaver'), await person('Reader')];
    const { id } = await group(reader, leaver);
    const events: ChannelEvent[] = [];
    const inbox: InboxEvent[] = [];
    reader.trpc.feed.channel.subscribe({ channelId: id }, { onData: ({ data }) => events.push(data) });
    reader.trpc.feed.inbox.subscribe(undefined, { onData: ({ data }) => inbox.push(data) });
    await until(
      () => [events.length, inbox.length],
      ([a = 0, b = 0]) => a > 0 && b > 0,
      'both feeds are open',
    );
    const { position } = await reader.trpc.message.send.mutate({ ...text(id, 'before'), ack: 'persisted' });
    await leaver.trpc.message.send.mutate({ ...text(id, 'to be forgotten'), ack: 'persisted' });
    await until(
      () => events,
      (all) => all.some((event) => event.type === 'message.created' && event.message.body === 'to be forgotten'),
      'it is seen',
    );
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await erased(leaver.userId);
    await until(
      () => events,
      (all) => all.some((event) => event.type === 'resync'),
      'the feed begins anew',
    );
    const seen = inbox.length;
    // The inbox still speaks of the channel, and so does a feed that resumes before it.
    await reader.trpc.receipt.read.mutate({ channelId: id, position });
    await reader.trpc.message.send.mutate(text(id, 'after'));
    await until(
      () => inbox.slice(seen),
      (all) => all.some((event) => event.type === 'channel.activity' && event.lastMessage?.body === 'after'),
      'activity',
    );
    expect(JSON.stringify(inbox.slice(seen))).not.toContain('to be forgotten');
    const resumed: ChannelEvent[] = [];
    reader.trpc.feed.channel.subscribe(
      { channelId: id, lastEventId: position },
      { onData: ({ data }) => resumed.push(data) },
    );
    await until(
      () => resumed,
      (all) => all.some((event) => event.type === 'message.created' && event.message.body === 'after'),
      'resumed',
    );
    expect(JSON.stringify(resumed)).not.toContain('to be forgotten');
    expect(resumed).toContainEqual(
      expect.objectContaining({
        type: 'message.created',
        message: expect.objectContaining({ body: '', senderId: leaver.userId }),
      }),
    );
  });

  it('[ADMIN-44] an erasure is done again when Postgres was restored, with old rows put back; `npm run erasures` does it', async () => {
    const secret = `secret${randomUUID().slice(0, 8)}`;
    const [leaver, reader] = [await person(secret), await person('Reader')];
    const { id } = await group(reader, leaver);
    await leaver.trpc.message.send.mutate({ ...text(id, secret), ack: 'persisted' });
    const [user] = await sqlOf(stack, 'select * from users where id = $1', [leaver.userId]);
    const [said] = await sqlOf(stack, 'select * from messages where sender_id = $1', [leaver.userId]);
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await erased(leaver.userId);
    await admin[Symbol.asyncDispose]();
    try {
      // Yesterday's rows, in a Postgres of another timeline.
      await sqlOf(stack, 'update users set name = $2 where id = $1', [leaver.userId, user?.name]);
      await sqlOf(stack, 'update messages set body = $2, deleted_at = null where id = $1', [said?.id, said?.body]);
      await sqlOf(stack, 'insert into channel_members (channel_id, user_id, rank, joined_at) values ($1, $2, 2, 1)', [
        id,
        leaver.userId,
      ]);
      expect(await tablesWith(secret)).toEqual(['messages', 'users']);
      // Control: on the Postgres where it was done nothing is left to do.
      expect(await erasuresCommand()).toContain('nothing is left to erase');
      expect(await tablesWith(secret)).toEqual(['messages', 'users']);
      await sqlOf(stack, 'update erasures set pg_timeline = pg_timeline + 1 where user_id = $1', [leaver.userId]);
      expect(await erasuresCommand()).toContain('nothing is left to erase');
      expect(await tablesWith(secret)).toEqual([]);
      expect(await sqlOf(stack, 'select 1 from channel_members where user_id = $1', [leaver.userId])).toEqual([]);
    } finally {
      admin = await startAdmin(stack);
    }
  });

  it('[ADMIN-45] an erasure that a restored Postgres knows nothing of is remembered by the log store, and done again by whoever starts', async () => {
    const secret = `secret${randomUUID().slice(0, 8)}`;
    const [leaver, reader] = [await person(secret), await person('Reader')];
    const { id } = await group(reader, leaver);
    await leaver.trpc.message.send.mutate({ ...text(id, secret), ack: 'persisted' });
    const [user] = await sqlOf(stack, 'select * from users where id = $1', [leaver.userId]);
    await admin.call(`POST /v1/users/${leaver.userId}/erase`);
    await erased(leaver.userId);
    await admin[Symbol.asyncDispose]();
    await sqlOf(stack, 'update users set name = $2 where id = $1', [leaver.userId, user?.name]);
    await sqlOf(stack, 'update messages set body = $2, deleted_at = null where sender_id = $1', [
      leaver.userId,
      secret,
    ]);
    await sqlOf(stack, 'delete from erasures where user_id = $1', [leaver.userId]);
    await sqlOf(stack, 'delete from user_standing where user_id = $1', [leaver.userId]);
    expect(await tablesWith(secret)).toEqual(['messages', 'users']);
    admin = await startAdmin(stack);
    await erased(leaver.userId);
    expect(await tablesWith(secret)).toEqual([]);
    expect(
      await sqlOf(stack, 'select 1 from user_standing where user_id = $1 and erased_at is not null', [leaver.userId]),
    ).toHaveLength(1);
  });
});

describe('export', () => {
  it('[ADMIN-50] gives everything of a user, a line a row: profile, memberships with cursors, messages, what else is his', async () => {
    const [me, other] = [await person('Mine', { email: 'me@example.org' }), await person('Other')];
    const { id } = await group(me, other);
    const left = await group(other, me);
    for (let i = 0; i < 3; i++) await me.trpc.message.send.mutate(text(id, `mine ${i}`));
    await other.trpc.message.send.mutate(text(id, 'not mine'));
    await me.trpc.message.send.mutate({ ...text(left.id, 'left behind'), ack: 'persisted' });
    await me.trpc.member.remove.mutate({ channelId: left.id, userId: me.userId });
    await me.trpc.user.block.mutate({ userId: other.userId });
    await until(
      () => sqlOf(stack, 'select 1 from messages where sender_id = $1', [me.userId]),
      (rows) => rows.length === 4,
      'all is in Postgres',
    );
    const { status, headers, body } = await admin.call(`GET /v1/users/${me.userId}/export`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const of = (table: string) =>
      body.filter((line: { table: string }) => line.table === table).map((line: { row: unknown }) => line.row);
    expect(of('users')).toEqual([expect.objectContaining({ id: me.userId, name: 'Mine', email: 'me@example.org' })]);
    expect(of('channel_members')).toEqual([
      expect.objectContaining({
        channel_id: id,
        rank: 5,
        read_n: expect.any(Number),
        channel: expect.objectContaining({ name: 'g' }),
      }),
    ]);
    expect(
      of('messages')
        .map((row: { body: string }) => row.body)
        .sort(),
    ).toEqual(['left behind', 'mine 0', 'mine 1', 'mine 2']);
    expect(of('blocks')).toEqual([expect.objectContaining({ blocked_id: other.userId })]);
    expect(JSON.stringify(body)).not.toContain('not mine');
    expect((await admin.call(`GET /v1/users/${randomUUID()}/export`)).status).toBe(404);
  });
});
