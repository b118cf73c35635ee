import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { createLog, createMetrics } from '@parley/runtime';
import { freePort } from '@parley/testing';
import { TRPCClientError } from '@trpc/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiThread, composeThread } from '../src/compose.ts';
import { readApiSettings } from '../src/settings.ts';
import { SeenChannel, SeenInbox } from './seen-channel.ts';
import { type Chatter, connectAs, type Stack, startStack } from './stack.ts';

const SEQUENCES = 1_000;
const AT_ONCE = 20;
const OPERATIONS = ['say', 'say', 'reply', 'edit', 'delete', 'react', 'unreact', 'read', 'deliver'] as const;
const RARE = ['rename', 'role', 'silence', 'remove', 'add', 'reopen', 'together'] as const;

interface Operation {
  readonly what: (typeof OPERATIONS)[number] | (typeof RARE)[number];
  readonly user: number;
  readonly target: number;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  what: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...OPERATIONS) },
    { weight: 1, arbitrary: fc.constantFrom(...RARE) },
  ),
  user: fc.nat(2),
  target: fc.nat(9),
});

let stack: Stack;
let second: ApiThread;
let users: Chatter[];
let inboxes: SeenInbox[];

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', CONNECTIONS_PER_USER: '100' });
  await stack.startWorker();
  const port = await freePort();
  second = composeThread({
    settings: readApiSettings(stack.env),
    listen: { port, host: '127.0.0.1', reusePort: false },
    threads: 1,
    log: createLog({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  });
  await second.run();
  const other = `http://127.0.0.1:${port}`;
  const [ada, eve] = await Promise.all([stack.user('ada'), stack.user('eve')]);
  const bob = connectAs({ url: other, name: 'bob', token: await stack.token('bob'), protocol: undefined });
  await bob.trpc.user.me.query();
  users = [ada, bob, eve];
  inboxes = users.map((user) => new SeenInbox(user));
  await until(() => inboxes.every(({ ready }) => ready), 'the inboxes are open');
});

afterAll(async () => {
  for (const inbox of inboxes ?? []) inbox.leave();
  await users?.[1]?.[Symbol.asyncDispose]();
  await second?.drain();
  await stack?.[Symbol.asyncDispose]();
});

async function until(met: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await met()); ) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One channel, its three members and what each of them sees of it. */
class Scene {
  readonly channelId: string;
  readonly seen: SeenChannel[];
  readonly said: string[] = [];

  constructor(channelId: string, seen: SeenChannel[]) {
    this.channelId = channelId;
    this.seen = seen;
  }

  static async open(): Promise<Scene> {
    const [ada, bob, eve] = users as [Chatter, Chatter, Chatter];
    const memberIds = [bob.userId, eve.userId];
    const channel = await ada.trpc.channel.create.mutate({ kind: 'group', name: 'first', memberIds });
    const { items } = await ada.trpc.member.list.query({ channelId: channel.id });
    const seen = users.map((user) => new SeenChannel(user, channel, items));
    for (const one of seen) one.follow();
    await until(() => seen.every(({ opened }) => opened > 0), 'the feeds are open');
    return new Scene(channel.id, seen);
  }

  close(): void {
    for (const one of this.seen) one.leave();
  }

  /** Does it as that user; a refusal is as good as an answer. */
  async perform({ what, user, target }: Operation): Promise<void> {
    try {
      await this.#attempt(what, user, target);
    } catch (error) {
      const known = error instanceof TRPCClientError && error.data?.parley?.code;
      if (!known || known === 'UNKNOWN_RETRY') throw error;
    }
  }

  async #attempt(what: Operation['what'], user: number, target: number): Promise<void> {
    const { channelId, said } = this;
    const { trpc } = users[user] as Chatter;
    const other = users[target % 3] as Chatter;
    const messageId = said[target % Math.max(1, said.length)] ?? randomUUID();
    const emoji = target % 2 === 0 ? '👍' : '🎉';
    const say = async (over: object) => {
      const body = `${what} ${target}`;
      const sent = await trpc.message.send.mutate({ channelId, clientMsgId: randomUUID(), body, ...over });
      said.push(sent.messageId);
    };
    const head = () => [...(this.seen[user] as SeenChannel).messages.values()].at(-1 - (target % 3))?.position;
    const operations: Record<Operation['what'], () => Promise<unknown>> = {
      say: () => say({ mentions: target % 3 === 0 ? [other.userId] : [] }),
      reply: () => say({ threadOf: messageId }),
      edit: () => trpc.message.edit.mutate({ channelId, messageId, body: `edited ${target}` }),
      delete: () => trpc.message.delete.mutate({ channelId, messageId }),
      react: () => trpc.reaction.add.mutate({ channelId, messageId, emoji }),
      unreact: () => trpc.reaction.remove.mutate({ channelId, messageId, emoji }),
      read: async () => {
        const position = head();
        if (position) await trpc.receipt.read.mutate({ channelId, position });
      },
      deliver: async () => {
        const position = head();
        if (position) await trpc.receipt.delivered.mutate({ channelId, position });
      },
      rename: () => trpc.channel.update.mutate({ channelId, name: `name ${target}` }),
      role: () =>
        trpc.member.setRole.mutate({ channelId, userId: other.userId, role: target % 2 ? 'moderator' : 'member' }),
      silence: () =>
        trpc.member.silence.mutate({ channelId, userId: other.userId, until: target % 2 ? Date.now() + 60_000 : null }),
      // Only the one who is never asked to see anything afterwards.
      remove: () => trpc.member.remove.mutate({ channelId, userId: (users[2] as Chatter).userId }),
      add: () => trpc.member.add.mutate({ channelId, userIds: [(users[2] as Chatter).userId] }),
      reopen: async () => {
        const seen = this.seen[user] as SeenChannel;
        seen.leave();
        seen.follow();
      },
      together: () =>
        Promise.all([
          this.perform({ what: 'say', user, target }),
          this.perform({ what: 'react', user: (user + 1) % 3, target }),
          this.perform({ what: 'edit', user: (user + 2) % 3, target }),
          this.perform({ what: 'delete', user, target: target + 1 }),
        ]),
    };
    await operations[what]();
  }

  /** What differs between what was told and what is asked; null when nothing does. */
  async difference(user: number): Promise<object | null> {
    const seen = this.seen[user] as SeenChannel;
    const { counts, ...fetched } = await SeenChannel.fetch(users[user] as Chatter, this.channelId);
    const told = seen.state();
    const { counts: known, told: events, ended } = inboxes[user] as SeenInbox;
    const inbox = known.get(this.channelId);
    if (seen.resyncs.length > 0) return { resyncs: seen.resyncs };
    if (!isDeepStrictEqual(told, fetched)) return { told, fetched, ended: seen.ended };
    return isDeepStrictEqual(inbox, counts) ? null : { inbox, counts, events: events.get(this.channelId), ended };
  }
}

async function play(operations: readonly Operation[]): Promise<void> {
  const scene = await Scene.open();
  try {
    for (const one of operations) await scene.perform(one);
    for (const user of [0, 1]) {
      let difference: object | null = null;
      await until(async () => {
        difference = await scene.difference(user);
        return difference === null;
      }, 'told as fetched').catch((error: unknown) =>
        expect.fail(`user ${user}: ${String(error)} ${JSON.stringify({ operations, difference }, null, 1)}`),
      );
    }
  } finally {
    scene.close();
  }
}

describe('what feeds tell', () => {
  it(`[FAN-110] adds up to what is asked for, after each of ${SEQUENCES} random sequences on two nodes`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const sequences = fc.sample(fc.array(operation, { minLength: 3, maxLength: 16 }), { numRuns: SEQUENCES, seed });
    console.log(`seed ${seed}`);
    for (let i = 0; i < sequences.length; i += AT_ONCE) await Promise.all(sequences.slice(i, i + AT_ONCE).map(play));
  }, 480_000);

  it('[FAN-110] control: one event that is left out is seen', async () => {
    const take = SeenChannel.prototype.take;
    SeenChannel.prototype.take = function (event) {
      if (event.type !== 'reaction.changed') take.call(this, event);
    };
    try {
      const [user, target] = [0, 0];
      const operations: Operation[] = [
        { what: 'say', user, target },
        { what: 'react', user, target },
      ];
      const scene = await Scene.open();
      for (const one of operations) await scene.perform(one);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await scene.difference(0)).not.toBeNull();
      scene.close();
    } finally {
      SeenChannel.prototype.take = take;
    }
  }, 30_000);
});
