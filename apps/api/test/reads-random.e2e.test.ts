import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ReaderRig, startReader } from './reader-rig.ts';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

// Changes of every kind at random, each answered when it is persisted, and after each of them all that can be read: with copies it is
// what Postgres and the log store say without.

const OPERATIONS = 120;

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
  return seen;
}

it('[CACHE-25] whatever changes, what is read with copies is what is read without', async () => {
  const seed = 1 + (Date.now() % 1_000_000);
  const random = randomNumbers(seed);
  const channelIds: string[] = [];
  const [owner] = users;
  if (!owner) throw new Error('no user');
  const anybody = () => users[1 + random(users.length - 1)] ?? owner;
  const anyChannel = () => channelIds[random(channelIds.length)] ?? '';
  const create = async () => {
    const memberIds = users.filter(() => random(2) === 0).map(({ userId }) => userId);
    channelIds.push((await owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds })).id);
  };
  const operations = [
    async () => void (channelIds.length < 6 && (await create())),
    () => owner.trpc.message.send.mutate({ ...text(anyChannel(), `${random(1_000)}`), ack: 'persisted' as const }),
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
      expect(['NOT_FOUND', 'CONFLICT', 'INVALID']).toContain(error.data?.parley?.code);
    });
    const expected = await readAll(without, channelIds);
    for (const rig of withCopies) expect(await readAll(rig, channelIds), `seed ${seed}, step ${i}`).toEqual(expected);
  }
  const text0 = await withCopies[0]?.metrics.text();
  for (const cache of ['sets', 'channels', 'members', 'users']) {
    expect(text0).toMatch(new RegExp(`cache_requests_total\\{cache="${cache}",outcome="hit"\\} [1-9]\\d\\d`));
  }
}, 120_000);
