import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// Everything that is read through copies, with them and without: the answers are the same.

/** Asks until the answer is so: what was accepted is on its way to Postgres. */
async function until<T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (done(answer) || tries === 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe.each([
  ['with copies', {}, ['sets', 'channels', 'tips', 'members', 'users', 'search', 'pages', 'recent']],
  ['without', { CACHE_ENABLED: 'false' }, ['recent']],
  ['without some', { CACHE_OFF: 'channels, users,tips' }, ['sets', 'members', 'search', 'pages', 'recent']],
] as const)('reads %s', (_how, env, used) => {
  let stack: Stack;
  let ada: Chatter;
  let bob: Chatter;
  let eve: Chatter;

  beforeAll(async () => {
    stack = await startStack({ RATE_LIMIT_ENABLED: 'false', ...env });
    await stack.startWorker();
    [ada, bob, eve] = await Promise.all([stack.user('ada'), stack.user('bob'), stack.user('eve')]);
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const group = async (over: object = {}) =>
    (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId], ...over })).id;
  const say = (channelId: string, body: string, by = ada) =>
    by.trpc.message.send.mutate({ ...text(channelId, body), ack: 'persisted' });
  const ids = async (of: Chatter) => (await of.trpc.channel.list.query()).items.map(({ id }) => id);

  it('[CACHE-20] a new channel, a new member and a removed one are seen by the next list', async () => {
    for (let i = 0; i < 5; i++) {
      await Promise.all([ids(ada), ids(bob), ids(eve)]);
      const id = await group();
      expect(await ids(ada)).toContain(id);
      expect(await ids(bob)).toContain(id);
      await ada.trpc.member.add.mutate({ channelId: id, userIds: [eve.userId] });
      expect(await ids(eve)).toContain(id);
      expect((await eve.trpc.channel.get.query({ channelId: id })).memberCount).toBe(3);
      expect((await bob.trpc.member.list.query({ channelId: id })).items).toHaveLength(3);
      await ada.trpc.member.remove.mutate({ channelId: id, userId: eve.userId });
      expect(await ids(eve)).not.toContain(id);
      expect(await failureOf(eve.trpc.channel.get.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
      expect(await ids(bob)).toContain(id);
      const { items } = await bob.trpc.member.list.query({ channelId: id });
      expect(items.map((member) => member.user.name).sort()).toEqual(['ada', 'bob']);
      expect(await bob.trpc.channel.get.query({ channelId: id })).toMatchObject({ memberCount: 2 });
    }
  });

  it('[CACHE-21] the list is ordered by the newest activity, with unread, last message and members as they are now', async () => {
    const channelIds = [await group(), await group(), await group()];
    for (const id of channelIds) await say(id, `in ${id}`);
    await ids(bob);
    for (const id of [1, 0, 2].map((i) => channelIds[i] ?? '')) await say(id, `again ${id}`);
    const { items } = await bob.trpc.channel.list.query({ limit: 3 });
    expect(items.map(({ id }) => id)).toEqual([2, 0, 1].map((i) => channelIds[i]));
    for (const { id, unread, lastMessage, members, role } of items) {
      expect({ unread, body: lastMessage?.body, role }).toEqual({ unread: 2, body: `again ${id}`, role: 'member' });
      expect(members.map((user) => user.name)).toEqual(['ada', 'bob']);
    }
    const [newest] = items;
    await bob.trpc.receipt.read.mutate({ channelId: newest?.id ?? '', position: newest?.head ?? '0-0' });
    expect((await bob.trpc.channel.list.query({ limit: 3 })).items[0]).toMatchObject({ id: newest?.id, unread: 0 });
  });

  it('[CACHE-22] the last message is found behind an entry that is none, and a list goes on to its next page', async () => {
    const id = await group();
    const { messageId } = await say(id, 'before eve came');
    await ada.trpc.member.add.mutate({ channelId: id, userIds: [eve.userId] });
    for (let i = 0; i < 3; i++) {
      expect(await bob.trpc.channel.get.query({ channelId: id })).toMatchObject({ lastMessage: { id: messageId } });
      const first = await bob.trpc.channel.list.query({ limit: 1 });
      expect(first.items[0]).toMatchObject({ id, lastMessage: { id: messageId, persisted: true } });
      const next = await bob.trpc.channel.list.query({ limit: 1, cursor: first.nextCursor ?? '' });
      expect(next.items[0]?.id).not.toBe(id);
    }
  });

  it('a whole list page by page is the list at once', async () => {
    const all = await bob.trpc.channel.list.query({ limit: 100 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await bob.trpc.channel.list.query({ limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(all.items.map(({ id }) => id));
    expect(all.items.length).toBeGreaterThan(4);
  });

  it('[CACHE-23] a changed name is seen everywhere at once', async () => {
    const carol = await stack.user('carol');
    const id = await group({ memberIds: [carol.userId] });
    const names = async () => {
      const [summary, members, users] = await Promise.all([
        ada.trpc.channel.get.query({ channelId: id }),
        ada.trpc.member.list.query({ channelId: id }),
        ada.trpc.user.get.query({ userIds: [carol.userId] }),
      ]);
      return [summary.members, members.items.map(({ user }) => user), users].map(
        (list) => list.find(({ id: userId }) => userId === carol.userId)?.name,
      );
    };
    for (let i = 0; i < 3; i++) expect(await names()).toEqual(['carol', 'carol', 'carol']);
    await stack
      .user('carol', { token: await stack.token('carol', { name: 'Caroline' }) })
      .then((c) => c.trpc.user.me.query());
    expect(await names()).toEqual(['Caroline', 'Caroline', 'Caroline']);
  });

  it('[SRCH-10] search finds what is persisted, with a snippet, in the caller’s channels only', async () => {
    const id = await group();
    const word = `ключ${randomUUID().slice(0, 8)}`;
    await say(id, `${'x '.repeat(300)}${word.toUpperCase()}${' y'.repeat(300)}`);
    for (let i = 0; i < 3; i++) {
      const { items, nextCursor } = await bob.trpc.message.search.query({ query: `  ${word} ` });
      expect(items).toEqual([expect.objectContaining({ channelId: id, persisted: true })]);
      expect(items[0]?.snippet).toContain(word.toUpperCase());
      expect([...(items[0]?.snippet ?? '')].length).toBeLessThan(170);
      expect(nextCursor).toBeNull();
      expect((await eve.trpc.message.search.query({ query: word })).items).toEqual([]);
    }
    for (const query of ['ab', ' ab ', '   ']) {
      expect(await failureOf(bob.trpc.message.search.query({ query }))).toMatchObject({ code: 'INVALID' });
    }
  });

  it('[SRCH-11] a search shows nothing to somebody who was removed, and what was said since', async () => {
    const id = await group();
    const word = randomUUID().slice(0, 13);
    await say(id, `${word} one`);
    for (let i = 0; i < 2; i++) expect((await bob.trpc.message.search.query({ query: word })).items).toHaveLength(1);
    await say(id, `${word} two`);
    expect((await bob.trpc.message.search.query({ query: word })).items).toHaveLength(2);
    await ada.trpc.member.remove.mutate({ channelId: id, userId: bob.userId });
    expect((await bob.trpc.message.search.query({ query: word })).items).toEqual([]);
    expect((await ada.trpc.message.search.query({ query: word })).items).toHaveLength(2);
  });

  it('[STAT-3] statistics are for members', async () => {
    const id = await group();
    await say(id, 'one');
    await say(id, 'two');
    const stats = await bob.trpc.channel.stats.query({ channelId: id });
    const day = new Date().toISOString().slice(0, 10);
    expect(stats).toMatchObject({ messages: 2, members: 2, activeMembers: 1 });
    expect(stats.perDay.at(-1)?.day).toBe(day);
    expect(await failureOf(eve.trpc.channel.stats.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('anybody may browse public channels', async () => {
    const name = `open ${randomUUID()}`;
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'public', name, memberIds: [] });
    await group({ name });
    expect((await eve.trpc.channel.browse.query({ query: ` ${name} ` })).items.map((c) => c.id)).toEqual([id]);
    expect((await eve.trpc.channel.browse.query()).items.map((c) => c.id)).toContain(id);
  });

  it('[CACHE-24] pages behind the window are what was said there', async () => {
    const id = await group();
    const sends = Array.from({ length: 230 }, (_, i) => i);
    for (const i of sends) await ada.trpc.message.send.mutate(text(id, `${i}`));
    const { position } = await say(id, 'last');
    const old = async () =>
      (await bob.trpc.message.page.query({ channelId: id, after: `${position.split('-')[0]}-0` as '0-0' })).items;
    const page = await until(old, (items) => items.length === 20);
    expect(page.map(({ body }) => body)).toEqual(sends.slice(0, 20).map(String));
    expect(await old()).toEqual(page);
    expect((await bob.trpc.message.page.query({ channelId: id })).items.at(-1)?.body).toBe('last');
  });

  it('these answers came from these copies, and from no others', async () => {
    const hits = (await stack.metrics.text()).matchAll(/cache_requests_total\{cache="(\w+)",outcome="hit"\} [1-9]/g);
    expect([...hits].map(([, cache]) => cache).sort()).toEqual([...used].sort());
  });
});

describe('what reads cost', () => {
  let stack: Stack;
  let ada: Chatter;
  let bob: Chatter;
  let sql: pg.Client;
  const channelIds: string[] = [];

  beforeAll(async () => {
    stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
    [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
    sql = new pg.Client({ connectionString: stack.db.url });
    await sql.connect();
    await sql.query('create extension if not exists pg_stat_statements');
    for (let i = 0; i < 50; i++) {
      const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', name: `${i}`, memberIds: [bob.userId] });
      await ada.trpc.message.send.mutate(text(id, `in ${i}`));
      channelIds.push(id);
    }
  });
  afterAll(async () => {
    await sql?.end();
    await stack?.[Symbol.asyncDispose]();
  });

  const statements = async () => {
    const { rows } = await sql.query(
      `select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s
         join pg_database d on d.oid = s.dbid and d.datname = current_database()
        where s.query not like '%pg_stat_statements%'`,
    );
    return Number(rows[0].calls);
  };
  const costOf = async (work: () => Promise<unknown>) => {
    const before = await statements();
    await work();
    return (await statements()) - before;
  };
  const cold = async () => {
    const cache = new Redis(stack.cache.url);
    await cache.flushall();
    cache.disconnect();
  };
  const list = async () => {
    const { items } = await bob.trpc.channel.list.query();
    expect(items).toHaveLength(50);
    return items;
  };
  const get = () => bob.trpc.channel.get.query({ channelId: channelIds[7] ?? '' });
  const snapshot = () =>
    new Promise<void>((resolve, reject) => {
      const { unsubscribe } = bob.trpc.feed.inbox.subscribe(undefined, {
        onData: ({ data }) => {
          if (data.type !== 'snapshot') return;
          unsubscribe();
          resolve();
        },
        onError: reject,
      });
    });

  it('[CACHE-30] a list of 50 channels is one statement cold, one for the profiles, and then none, nor is an inbox', async () => {
    await cold();
    expect(await costOf(list)).toBe(1);
    expect(await costOf(list)).toBe(1);
    expect(await costOf(list)).toBe(0);
    expect(await costOf(snapshot)).toBe(0);
    expect(await costOf(get)).toBe(0);
    // Messages move nothing that there is a copy of.
    for (const id of channelIds.slice(0, 5)) await ada.trpc.message.send.mutate(text(id, 'more'));
    expect(await costOf(list)).toBe(0);
  });

  it('[CACHE-31] a channel is one statement cold, and none when its profiles are known', async () => {
    await cold();
    expect(await costOf(get)).toBe(1);
    await costOf(() => bob.trpc.user.get.query({ userIds: [ada.userId, bob.userId] }));
    expect(await costOf(get)).toBe(0);
  });

  it('[CACHE-32] members, profiles, statistics and the newest page cost one statement, and then none', async () => {
    await cold();
    const channelId = channelIds[3] ?? '';
    const members = () => bob.trpc.member.list.query({ channelId });
    expect(await costOf(members)).toBe(1);
    expect(await costOf(() => bob.trpc.user.get.query({ userIds: [ada.userId, bob.userId] }))).toBe(1);
    expect(await costOf(members)).toBe(0);
    expect(await costOf(() => bob.trpc.user.get.query({ userIds: [ada.userId, bob.userId] }))).toBe(0);
    const stats = () => bob.trpc.channel.stats.query({ channelId });
    expect(await costOf(stats)).toBe(1);
    expect(await costOf(stats)).toBe(0);
    expect(await costOf(() => bob.trpc.message.page.query({ channelId }))).toBe(0);
  });

  it('[CACHE-35] contacts cost one statement, and then none; who was blocked is gone at once, and names are those of now', async () => {
    await cold();
    const contacts = () => bob.trpc.user.contacts.query();
    const others = await contacts();
    expect(others.map(({ id }) => id)).toContain(ada.userId);
    expect(await costOf(contacts)).toBeLessThanOrEqual(1);
    expect(await costOf(contacts)).toBe(0);
    expect(await contacts()).toEqual(others);
    await ada.trpc.user.update.mutate({ name: 'Ada the First' });
    expect(await contacts()).toContainEqual(expect.objectContaining({ id: ada.userId, name: 'Ada the First' }));
    await bob.trpc.user.block.mutate({ userId: ada.userId });
    expect((await contacts()).map(({ id }) => id)).not.toContain(ada.userId);
    await bob.trpc.user.unblock.mutate({ userId: ada.userId });
    expect((await contacts()).map(({ id }) => id)).toContain(ada.userId);
  });

  it('[CACHE-30] the control: without copies each costs a statement, every time', async () => {
    await using plain = await startStack({ RATE_LIMIT_ENABLED: 'false', CACHE_ENABLED: 'false' });
    const carol = await plain.user('carol');
    const { id } = await carol.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [] });
    await carol.trpc.message.send.mutate(text(id, 'x'));
    const counter = new pg.Client({ connectionString: plain.db.url });
    await counter.connect();
    await counter.query('create extension if not exists pg_stat_statements');
    const mine = sql;
    sql = counter;
    try {
      for (let i = 0; i < 3; i++) {
        expect(await costOf(() => carol.trpc.channel.list.query())).toBe(1);
        expect(await costOf(() => carol.trpc.channel.get.query({ channelId: id }))).toBe(1);
        expect(await costOf(() => carol.trpc.channel.stats.query({ channelId: id }))).toBe(1);
      }
    } finally {
      sql = mine;
      await counter.end();
    }
  });

  it('[CACHE-33] without the cache store the answers are the same, from Postgres, and it is counted', async () => {
    const before = await list();
    await stack.cache.kill();
    expect(await list()).toEqual(before);
    expect(await costOf(list)).toBeGreaterThan(0);
    await stack.cache.restart();
    expect(await stack.metrics.text()).toMatch(/cache_requests_total\{cache="sets",outcome="error"\} [1-9]/);
  });
});
