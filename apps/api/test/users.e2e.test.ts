import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OtherNode, onLogStore, startNode, until } from './admin-rig.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// Real stores, two nodes on them: one where users find those they share a channel with, one with an open directory.

let stack: Stack;
let open: OtherNode;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  open = await startNode(stack, { USER_DIRECTORY: 'open' });
});
afterAll(async () => {
  await open?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const named = async (name: string) => stack.user(randomUUID(), { token: await stack.token(randomUUID(), { name }) });
/** Somebody of this name who has been here. */
async function person(name: string): Promise<Chatter> {
  const chatter = await named(name);
  const { id } = await chatter.trpc.user.me.query();
  return { ...chatter, userId: id };
}
const together = (owner: Chatter, ...others: Chatter[]) =>
  owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: others.map((other) => other.userId) });
const direct = (one: Chatter, other: Chatter) =>
  one.trpc.channel.create.mutate({ kind: 'direct', memberIds: [other.userId] });
const names = (users: { name: string }[]) => users.map((user) => user.name);

describe('finding', () => {
  it('[USER-1] user.search finds those one shares a channel with, by a part of their name in any script, and nobody else', async () => {
    const me = await person('Seeker');
    const [olga, taro, ann] = [await person('Ольга Лебедева'), await person('山田太郎'), await person('Ann Boleyn')];
    const stranger = await person('Ольга Чужая');
    await together(me, olga, taro, ann);
    const search = async (query: string) => names(await me.trpc.user.search.query({ query }));
    expect(await search('льга')).toEqual(['Ольга Лебедева']);
    expect(await search('ЛЕБЕД')).toEqual(['Ольга Лебедева']);
    expect(await search('太郎')).toEqual(['山田太郎']);
    expect(await search('n')).toEqual(['Ann Boleyn']);
    expect(await search('Seeker')).toEqual([]);
    expect(await search('Чужая')).toEqual([]);
    expect(stranger.userId).not.toBe(olga.userId);
  });

  it('[USER-2] with USER_DIRECTORY=open everybody is found: three characters anywhere in a name, fewer where a word begins', async () => {
    const mark = randomUUID().slice(0, 8);
    await person(`Zoë ${mark}`);
    const token = await stack.token(randomUUID(), { name: 'Looker' });
    const looker = await open.user('looker', token);
    const search = async (query: string) => names(await looker.trpc.user.search.query({ query }));
    expect(await search(mark.slice(2))).toEqual([`Zoë ${mark}`]);
    expect(await search('zo')).toContain(`Zoë ${mark}`);
    expect(await search(mark.slice(0, 2))).toContain(`Zoë ${mark}`);
    // On the other node, on the same rows.
    const shut = await stack.user('looker', { token });
    expect(await shut.trpc.user.search.query({ query: mark })).toEqual([]);
  });

  it('[USER-3] who begins with it comes first, wildcards are letters like others, and no more are given than asked for', async () => {
    const me = await person('Orderly');
    const mark = randomUUID().slice(0, 6);
    const others = [
      await person(`x ${mark}`),
      await person(`${mark} b`),
      await person(`${mark} a`),
      await person(`100% ${mark}`),
    ];
    await together(me, ...others);
    const search = async (query: string, limit = 20) => names(await me.trpc.user.search.query({ query, limit }));
    expect(await search(mark)).toEqual([`${mark} a`, `${mark} b`, `100% ${mark}`, `x ${mark}`]);
    expect(await search(mark, 2)).toEqual([`${mark} a`, `${mark} b`]);
    expect(await search('0%')).toEqual([`100% ${mark}`]);
    expect(await search('_')).toEqual([]);
    expect(await search('\\')).toEqual([]);
  });

  it('[USER-4] user.contacts are those one shares a channel with, of the most recently active channel first', async () => {
    const me = await person('Sociable');
    const [one, two, three] = [await person('One'), await person('Two'), await person('Three')];
    const older = await together(me, one, two);
    const newer = await together(me, three, two);
    const contacts = async () => names(await me.trpc.user.contacts.query());
    await me.trpc.message.send.mutate({ ...text(older.id, 'a'), ack: 'persisted' });
    await me.trpc.message.send.mutate({ ...text(newer.id, 'b'), ack: 'persisted' });
    expect((await contacts()).slice(0, 2).sort()).toEqual(['Three', 'Two']);
    expect(await contacts()).toHaveLength(3);
    await one.trpc.message.send.mutate({ ...text(older.id, 'c'), ack: 'persisted' });
    expect((await contacts()).slice(0, 2).sort()).toEqual(['One', 'Two']);
  });
});

describe('what a user says of himself', () => {
  it('[USER-5] user.update changes what it names and nothing else; the other sessions of the user see it', async () => {
    const me = await person('Before');
    const token = await stack.token(me.userId, { name: 'Before' });
    const elsewhere = await open.user('x', token);
    const avatarUrl = 'https://example.org/a.png';
    expect(await me.trpc.user.update.mutate({ statusText: 'busy', avatarUrl })).toMatchObject({
      name: 'Before',
      statusText: 'busy',
    });
    expect(await me.trpc.user.update.mutate({ name: 'After' })).toMatchObject({
      name: 'After',
      statusText: 'busy',
      avatarUrl,
    });
    expect(await me.trpc.user.update.mutate({ statusText: null })).toMatchObject({
      name: 'After',
      statusText: null,
      avatarUrl,
    });
    expect(await elsewhere.trpc.user.me.query()).toMatchObject({ name: 'After', statusText: null, avatarUrl });
    expect(await me.trpc.user.update.mutate({})).toMatchObject({ name: 'After', avatarUrl });
  });

  it('[USER-6] a name or picture that a user has set stays until his token claims another one', async () => {
    const sub = randomUUID();
    const come = async (claims: object) => {
      const chatter = await stack.user(sub, { token: await stack.token(sub, claims) });
      return chatter.trpc.user.me.query();
    };
    const first = await stack.user(sub, { token: await stack.token(sub, { name: 'Claimed' }) });
    await first.trpc.user.update.mutate({ name: 'Chosen' });
    expect(await come({ name: 'Claimed' })).toMatchObject({ name: 'Chosen' });
    // Another claim has changed, not this one.
    expect(await come({ name: 'Claimed', email: 'a@b.example' })).toMatchObject({ name: 'Chosen' });
    expect(await come({ name: 'Married', email: 'a@b.example' })).toMatchObject({ name: 'Married' });
  });

  it('[USER-7] notification settings are merged one by one; who has set nothing has the defaults', async () => {
    const me = await person('Quiet');
    const settings = () => me.trpc.user.settings.query();
    expect(await settings()).toEqual({ notify: { push: true, email: true, quietHours: null }, blocked: [] });
    const quietHours = { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' };
    await me.trpc.user.update.mutate({ notify: { quietHours } });
    await me.trpc.user.update.mutate({ notify: { email: false } });
    expect(await settings()).toMatchObject({ notify: { push: true, email: false, quietHours } });
    const nowhere = me.trpc.user.update.mutate({
      notify: { quietHours: { ...quietHours, timeZone: 'Europe/Atlantis' } },
    });
    expect(await failureOf(nowhere)).toMatchObject({ code: 'INVALID' });
    expect(await settings()).toMatchObject({ notify: { quietHours } });
  });
});

describe('blocking', () => {
  it('[USER-10] what a blocked user writes into the direct channel is refused at once, on every node, for good; the blocker may write', async () => {
    const [me, pest] = [await person('Me'), await person('Pest')];
    const pestElsewhere = await open.user('x', await stack.token(pest.userId, { name: 'Pest' }));
    const { id } = await direct(me, pest);
    await pest.trpc.message.send.mutate(text(id, 'before'));
    expect(await me.trpc.user.block.mutate({ userId: pest.userId })).toEqual({ blocked: true });
    for (const chatter of [pest, pestElsewhere]) {
      expect(await failureOf(chatter.trpc.message.send.mutate(text(id, 'after')))).toMatchObject({
        code: 'FORBIDDEN',
        retryable: false,
      });
    }
    await me.trpc.message.send.mutate({ ...text(id, 'mine'), ack: 'persisted' });
    const { items } = await me.trpc.message.page.query({ channelId: id });
    expect(items.map((message) => message.body)).toEqual(['before', 'mine']);
    // In a group they may both write, and both read.
    const group = await together(me, pest);
    await pest.trpc.message.send.mutate(text(group.id, 'here I may'));
  });

  it('[USER-11] a block outlives the log store, and holds in a direct channel that is made after it', async () => {
    const [me, pest] = [await person('Me'), await person('Pest')];
    await me.trpc.user.block.mutate({ userId: pest.userId });
    const { id, memberCount } = await direct(pest, me);
    expect(memberCount).toBe(2);
    expect(await failureOf(pest.trpc.message.send.mutate(text(id, 'hello')))).toMatchObject({ code: 'FORBIDDEN' });
    await me.trpc.message.send.mutate({ ...text(id, 'you are blocked'), ack: 'persisted' });
    await onLogStore(stack, (redis) => redis.flushall());
    const refused = await until(
      () => failureOf(pest.trpc.message.send.mutate(text(id, 'hello again'))),
      ({ code }) => code !== 'UNAVAILABLE' && code !== 'UNKNOWN_RETRY',
      'a new epoch',
    );
    expect(refused).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[USER-12] user.unblock takes a block back, also one that never was', async () => {
    const [me, other] = [await person('Me'), await person('Other')];
    const { id } = await direct(me, other);
    await me.trpc.user.block.mutate({ userId: other.userId });
    await me.trpc.user.block.mutate({ userId: other.userId });
    expect(await failureOf(other.trpc.message.send.mutate(text(id, 'x')))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await me.trpc.user.unblock.mutate({ userId: other.userId })).toEqual({ blocked: false });
    expect(await me.trpc.user.unblock.mutate({ userId: other.userId })).toEqual({ blocked: false });
    await other.trpc.message.send.mutate(text(id, 'x'));
    expect(await failureOf(me.trpc.user.block.mutate({ userId: randomUUID() }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(me.trpc.user.block.mutate({ userId: me.userId }))).toMatchObject({ code: 'INVALID' });
  });

  it('[USER-13] the blocker finds the blocked one no more, except in his settings; nothing shows the blocked one that he is', async () => {
    const mark = randomUUID().slice(0, 8);
    const [me, pest] = [await person(`Me ${mark}`), await person(`Pest ${mark}`)];
    const { id } = await direct(me, pest);
    const seen = async () => ({
      search: await pest.trpc.user.search.query({ query: mark }),
      contacts: await pest.trpc.user.contacts.query(),
      get: await pest.trpc.user.get.query({ userIds: [me.userId] }),
      members: await pest.trpc.member.list.query({ channelId: id }),
      channel: await pest.trpc.channel.get.query({ channelId: id }),
      settings: await pest.trpc.user.settings.query(),
    });
    const before = await seen();
    await me.trpc.user.block.mutate({ userId: pest.userId });
    expect(await seen()).toEqual(before);
    expect(await me.trpc.user.search.query({ query: mark })).toEqual([]);
    expect(await me.trpc.user.contacts.query()).toEqual([]);
    expect(await me.trpc.user.settings.query()).toMatchObject({ blocked: [pest.userId] });
  });
});
