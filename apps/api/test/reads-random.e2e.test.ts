import { createKeys } from '@parley/cache';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ReaderRig, startReader } from './reader-rig.ts';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

// Changes of every kind at random, each answered when it is persisted, and after each of them all that can be read: with copies it is
// what Postgres and the log store say without.

const keys = createKeys('parley');
const headerKey = (stem: string, channelId: string) => `${stem}ch:${channelId}`;

const OPERATIONS = 100;

let stack: Stack;
let users: Chatter[];
let withCopies: ReaderRig[];
let without: ReaderRig;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  users = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => stack.user(name)));
  withCopies = await Promise.all([startReader(stack.env), startReader(stack.env)]);
  without = await startReader({ ...stack.env, CACHE_ENABLED: 'false' });
});
afterAll(async () => {
  for (const rig of [...(withCopies ?? []), without]) await rig?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** Park and Miller's: a failure can be run again. */
function randomNumbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

async function readAll({ cases }: ReaderRig, channelIds: readonly string[]) {
  const seen: unknown[] = [];
  const outcome = (call: Promise<unknown>) => call.catch((error: { code?: string }) => error.code ?? String(error));
  for (const { userId } of users) {
    const caller = { userId, name: 'x' };
    seen.push(await outcome(cases['channel.list'](caller, { limit: 4 })));
    for (const channelId of channelIds) {
      seen.push(
        await Promise.all([
          outcome(cases['channel.get'](caller, { channelId })),
          outcome(cases['member.list'](caller, { channelId, limit: 3 })),
          outcome(cases['message.page'](caller, { channelId, limit: 2 })),
        ]),
      );
    }
  }
  // When somebody was seen last is presence's to tell, whatever Postgres has of it.
  return JSON.parse(JSON.stringify(seen, (key, value) => (key === 'lastSeenAt' ? null : value))) as unknown;
}

/** What was accepted comes to Postgres in its own time; until it has, two reads need not be of one moment. */
async function settled(channelIds: readonly string[]): Promise<void> {
  const log = new Redis(stack.log.url);
  for (const channelId of channelIds) {
    for (let tries = 0; tries < 400; tries++) {
      const [head, mark] = await log.hmget(headerKey(keys.stemOf(channelId), channelId), 's', 'p');
      const n = Number(head?.split(' ')[0]?.split('-')[1] ?? 0);
      if (n <= Number(mark?.split(' ')[0] ?? 0)) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  log.disconnect();
}

const found = async ({ cases }: ReaderRig) =>
  Promise.all(
    users.map(
      async ({ userId }) => (await cases['message.search']({ userId, name: 'x' }, { query: 'word', limit: 100 })).items,
    ),
  );

it('[CACHE-25] whatever changes, what is read with copies is what is read without', async () => {
  const seed = 1 + (Date.now() % 1_000_000);
  const random = randomNumbers(seed);
  const channelIds: string[] = [];
  const [owner] = users;
  if (!owner) throw new Error('no user');
  const anybody = () => users[1 + random(users.length - 1)] ?? owner;
  const anyChannel = () => channelIds[random(channelIds.length)] ?? '';
  /** Does something to the last message of a channel, where there is one. */
  const withLast = async (act: (at: { channelId: string; messageId: string }) => Promise<unknown>) => {
    const channelId = anyChannel();
    const { items } = await owner.trpc.message.page.query({ channelId, limit: 1 });
    if (items[0]) await act({ channelId, messageId: items[0].id });
  };
  const create = async () => {
    const memberIds = users.filter(() => random(2) === 0).map(({ userId }) => userId);
    channelIds.push((await owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds })).id);
  };
  const operations = [
    async () => void (channelIds.length < 6 && (await create())),
    () => owner.trpc.message.send.mutate({ ...text(anyChannel(), `word ${random(1_000)}`), ack: 'persisted' as const }),
    async () => {
      const channelId = anyChannel();
      const mentions = [anybody().userId];
      const said = await owner.trpc.message.send.mutate({ ...text(channelId, `word ${random(1_000)}`), mentions });
      if (random(2) === 0)
        await owner.trpc.message.send.mutate({ ...text(channelId, 'a reply'), threadOf: said.messageId });
    },
    () => withLast((at) => owner.trpc.message.edit.mutate({ ...at, body: `word, edited ${random(1_000)}` })),
    () => withLast((at) => owner.trpc.message.delete.mutate(at)),
    () => withLast((at) => owner.trpc.reaction.add.mutate({ ...at, emoji: '👍' })),
    () => withLast((at) => owner.trpc.reaction.remove.mutate({ ...at, emoji: '👍' })),
    () => owner.trpc.channel.update.mutate({ channelId: anyChannel(), name: `name ${random(1_000)}` }),
    () => owner.trpc.channel.archive.mutate({ channelId: anyChannel(), archived: random(4) === 0 }),
    () =>
      owner.trpc.channel.mute.mutate({ channelId: anyChannel(), until: random(2) === 0 ? null : Date.now() + 60_000 }),
    () =>
      owner.trpc.member.setRole.mutate({
        channelId: anyChannel(),
        userId: anybody().userId,
        role: random(2) === 0 ? 'moderator' : 'member',
      }),
    () => owner.trpc.member.add.mutate({ channelId: anyChannel(), userIds: [anybody().userId] }),
    () => owner.trpc.member.remove.mutate({ channelId: anyChannel(), userId: anybody().userId }),
    async () => {
      const { token } = await anybody();
      await stack.http(token).user.me.query();
    },
    async () => {
      const channelId = anyChannel();
      const { head } = await owner.trpc.channel.get.query({ channelId });
      if (head) await owner.trpc.receipt.read.mutate({ channelId, position: head });
    },
  ];
  await create();
  for (let i = 0; i < OPERATIONS; i++) {
    await operations[random(operations.length)]?.().catch((error: { data?: { parley?: { code: string } } }) => {
      // A member who is one, or is none: that was the dice.
      expect(['NOT_FOUND', 'CONFLICT', 'INVALID', 'FORBIDDEN']).toContain(error.data?.parley?.code);
    });
    await settled(channelIds);
    const expected = await readAll(without, channelIds);
    const findable = await found(without);
    for (const rig of withCopies) {
      expect(await readAll(rig, channelIds), `seed ${seed}, step ${i}`).toEqual(expected);
      // A search may be up to 30 s behind with what is new, and never shows what is not so any more.
      for (const [k, items] of (await found(rig)).entries()) {
        for (const item of items) expect(findable[k], `seed ${seed}, step ${i}`).toContainEqual(item);
      }
    }
  }
  const text0 = await withCopies[0]?.metrics.text();
  for (const cache of ['sets', 'channels', 'members', 'users']) {
    expect(text0).toMatch(new RegExp(`cache_requests_total\\{cache="${cache}",outcome="hit"\\} [1-9]\\d\\d`));
  }
}, 120_000);
