import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '@parley/protocol';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { type Balancer, balance, type Look, type SdkUser, signToken, startSdkUser, until } from './sdk-user.ts';

const EMOJIS = ['👍', '🎉', '😂'];

/** What a user asked for, as far as it can still be seen at the end. */
interface Wishes {
  /** The last words that the author gave each of his messages. */
  readonly bodies: Map<string, string>;
  readonly deleted: Set<string>;
  /** `message emoji user`: whether he wants it. */
  readonly reactions: Map<string, boolean>;
}

describe('changes by @parley/client against two apis and a worker', () => {
  let cluster: Cluster;
  let balancer: Balancer;
  let users: AsyncDisposableStack;
  let names = 0;
  beforeAll(async () => {
    cluster = await startCluster({
      apis: 2,
      workers: 1,
      migrate,
      // The log store forgets everything with its process: what closes that hole is the client.
      appendonly: 'no',
      env: { RATE_LIMIT_ENABLED: 'false', DRAIN_WINDOW_MS: '1000' },
    });
    balancer = await balance(() => cluster.apis.map((api) => api.port));
    users = new AsyncDisposableStack();
    users.use(cluster);
    users.use(balancer);
  });
  afterAll(() => users?.disposeAsync());

  async function join(name = `user ${++names}`): Promise<SdkUser> {
    const token = () => signToken(cluster.env.AUTH_SECRET ?? '', name, 3_600_000);
    return users.use(await startSdkUser(balancer.url, name, token));
  }

  /** Three people who look at one channel. */
  async function meeting(): Promise<{ people: SdkUser[]; channelId: string }> {
    const people = await Promise.all([join(), join(), join()]);
    const [owner, ...others] = people as [SdkUser, ...SdkUser[]];
    const memberIds = others.map((user) => user.userId);
    const { id: channelId } = await owner.client.createChannel({ kind: 'group', name: 'changes', memberIds });
    for (const user of people) user.look(channelId);
    await until(() => people.every((user) => lookOf(user).channel.store.getSnapshot().state === 'ready'));
    return { people, channelId };
  }

  const lookOf = (user: SdkUser): Look => user.looks.at(-1) as Look;
  const shownTo = (user: SdkUser) => lookOf(user).channel.store.getSnapshot().messages;

  /** Everybody says, edits, deletes and reacts, every few milliseconds, until `isOver`. */
  async function change(people: readonly SdkUser[], isOver: () => boolean): Promise<Wishes> {
    const wishes: Wishes = { bodies: new Map(), deleted: new Set(), reactions: new Map() };
    for (let i = 0; !isOver(); i += 1) {
      for (const [at, user] of people.entries()) act(user, wishes, i + at);
      await sleep(25);
    }
    return wishes;
  }

  function act(user: SdkUser, wishes: Wishes, i: number): void {
    const { channelId } = lookOf(user);
    if (i % 4 === 0) user.send(lookOf(user), `${user.name}: ${i}`);
    const alive = shownTo(user).filter(({ messageId, deletedAt }) => messageId !== null && deletedAt === null);
    const own = alive.filter((shown) => shown.isOwn);
    const mine = own[(i * 7) % Math.max(1, own.length)]?.messageId;
    const any = alive[(i * 5) % Math.max(1, alive.length)]?.messageId;
    if (i % 4 === 1 && mine) {
      wishes.bodies.set(mine, `edit ${i}`);
      user.client.change(channelId, { kind: 'message.edit', input: { messageId: mine, body: `edit ${i}` } });
    }
    if (i % 4 >= 2 && any) {
      const emoji = EMOJIS[i % EMOJIS.length] ?? '👍';
      const added = i % 8 < 6;
      wishes.reactions.set(`${any} ${emoji} ${user.userId}`, added);
      user.client.change(channelId, {
        kind: added ? 'reaction.add' : 'reaction.remove',
        input: { messageId: any, emoji },
      });
    }
    if (i % 40 === 39 && mine) {
      wishes.deleted.add(mine);
      user.client.change(channelId, { kind: 'message.delete', input: { messageId: mine } });
    }
  }

  /** Nothing is on its way any more: all outboxes hold only what was refused. */
  async function atRest(people: readonly SdkUser[]): Promise<void> {
    const isOpen = async (user: SdkUser) => (await user.storage.load()).some((entry) => entry.refusal === null);
    await until(async () => !(await Promise.all(people.map(isOpen))).includes(true), 60_000);
    await until(() => people.every((user) => shownTo(user).every((each) => each.message?.persisted)), 10_000);
  }

  /** The channel as the server has it for this user. */
  async function fetched({ client }: SdkUser, channelId: string): Promise<Message[]> {
    const messages: Message[] = [];
    for (let hasBefore = true; hasBefore; ) {
      const before = messages[0]?.position;
      const page = await client.call('message.page', { channelId, limit: 100, ...(before && { before }) });
      messages.unshift(...page.items);
      hasBefore = page.hasBefore;
    }
    return messages;
  }

  const byEmoji = (a: { emoji: string }, b: { emoji: string }) => (a.emoji < b.emoji ? -1 : 1);

  /** What differs between a view and the server. */
  async function difference(user: SdkUser, channelId: string): Promise<unknown[]> {
    const look = lookOf(user);
    while (look.channel.store.getSnapshot().hasOlder) await look.channel.loadOlder();
    const shown = shownTo(user).map(({ messageId, body, editedAt, deletedAt, reactions, replyCount, position }) =>
      JSON.stringify([position, messageId, body, editedAt, deletedAt, replyCount, [...reactions].sort(byEmoji)]),
    );
    const kept = (await fetched(user, channelId)).map(
      ({ id, body, editedAt, deletedAt, reactions, replyCount, position }) =>
        JSON.stringify([position, id, body, editedAt, deletedAt, replyCount, [...reactions].sort(byEmoji)]),
    );
    return [
      ...shown.filter((each) => !kept.includes(each)).map((each) => `${user.name} shows ${each}`),
      ...kept.filter((each) => !shown.includes(each)).map((each) => `${user.name} misses ${each}`),
      ...look.wrong,
    ];
  }

  /** What was asked for, and is not so. A message that was deleted has nothing else to be. */
  async function unfulfilled(people: readonly SdkUser[], channelId: string, wishes: Wishes): Promise<string[]> {
    const missing: string[] = [];
    for (const user of people) {
      const messages = new Map((await fetched(user, channelId)).map((message) => [message.id, message]));
      for (const [id, body] of wishes.bodies) {
        const message = messages.get(id);
        if (message?.deletedAt === null && message.body !== body) missing.push(`${id} is not ${body}`);
      }
      for (const id of wishes.deleted) if (messages.get(id)?.deletedAt === null) missing.push(`${id} is not deleted`);
      for (const [wish, wanted] of wishes.reactions) {
        const [id = '', emoji, userId] = wish.split(' ');
        const message = messages.get(id);
        const isSo = message?.reactions.some((each) => each.emoji === emoji && each.mine) ?? false;
        if (userId === user.userId && message?.deletedAt === null && isSo !== wanted) missing.push(wish);
      }
      const sent = lookOf(user).sent.filter((id) => ![...messages.values()].some((each) => each.clientMsgId === id));
      missing.push(...sent.map((id) => `${user.name} never sent ${id}`));
    }
    return missing;
  }

  async function findings(people: readonly SdkUser[], channelId: string, wishes: Wishes) {
    const failed = people.flatMap((user) => lookOf(user).channel.store.getSnapshot().failed);
    return {
      wrong: (await Promise.all(people.map((user) => difference(user, channelId)))).flat().slice(0, 5),
      missing: (await unfulfilled(people, channelId, wishes)).slice(0, 5),
      // Who changes what somebody has just deleted is told so.
      refused: failed.filter((item) => item.refusal?.code !== 'NOT_FOUND'),
    };
  }
  const NOTHING = { wrong: [], missing: [], refused: [] };

  it('[CLIENT-70] an api is killed while everybody edits, deletes and reacts: nothing lost, nothing twice, every view as the server has it', async () => {
    const { people, channelId } = await meeting();
    let isOver = false;
    const changing = change(people, () => isOver);
    await sleep(700);
    const [killed] = cluster.apis;
    await killed?.kill();
    await sleep(700);
    cluster.apis.shift();
    await cluster.startApi(killed?.port);
    await sleep(700);
    isOver = true;
    const wishes = await changing;
    await atRest(people);
    expect(wishes.bodies.size).toBeGreaterThan(5);
    expect(people.flatMap((user) => user.states).some(({ status }) => status === 'reconnecting')).toBe(true);
    expect(await findings(people, channelId, wishes)).toEqual(NOTHING);
  }, 90_000);

  it('[CLIENT-71] the log store is lost with changes in it: they come again, in order, and every view is as the server has it', async () => {
    const { people, channelId } = await meeting();
    let isOver = false;
    const changing = change(people, () => isOver);
    await sleep(1_000);
    // What is accepted from here on has no second copy on the server.
    const [worker] = cluster.workers;
    if (worker) process.kill(worker.pid, 'SIGSTOP');
    await sleep(700);
    const unsaved = (await Promise.all(people.map((user) => user.storage.load()))).flat();
    await cluster.log.kill();
    if (worker) process.kill(worker.pid, 'SIGCONT');
    await sleep(300);
    await cluster.log.restart();
    await sleep(2_500);
    isOver = true;
    const wishes = await changing;
    await atRest(people);
    expect(unsaved.some((entry) => entry.operation.kind === 'message.edit')).toBe(true);
    expect(await findings(people, channelId, wishes)).toEqual(NOTHING);
  }, 120_000);

  it('[CLIENT-72] receipts, typing, presence and members of one are seen by the other', async () => {
    const { people, channelId } = await meeting();
    const [ada, ben] = people as [SdkUser, SdkUser];
    const { channel } = lookOf(ada);
    const end = channel.watchMembers();
    users.defer(ada.client.watchPresence([ben.userId]));
    await until(() => ada.client.presence.getSnapshot().get(ben.userId)?.status === 'online');
    const benAsMember = () => channel.members.getSnapshot().members.find((each) => each.userId === ben.userId);
    ada.send(lookOf(ada), 'hello');
    await until(() => shownTo(ben).length === 1);
    await until(() => benAsMember()?.deliveredTo === shownTo(ada)[0]?.position);
    ben.client.markRead(channelId);
    await until(() => benAsMember()?.readTo === shownTo(ada)[0]?.position);
    ben.client.typing(channelId);
    await until(() => channel.store.getSnapshot().typing.includes(ben.userId));
    ben.send(lookOf(ben), 'typed');
    await until(() => shownTo(ada).length === 2 && channel.store.getSnapshot().typing.length === 0);
    ada.client.change(channelId, { kind: 'member.setRole', input: { userId: ben.userId, role: 'admin' } });
    await until(() => benAsMember()?.role === 'admin');
    const roleOf = (user: SdkUser) => user.client.inbox.getSnapshot().channels.find(({ id }) => id === channelId)?.role;
    await until(() => roleOf(ben) === 'admin');
    ben.client.change(channelId, { kind: 'channel.update', input: { name: 'renamed' } });
    await until(() => ada.client.inbox.getSnapshot().channels[0]?.name === 'renamed');
    ben.client.change(channelId, { kind: 'channel.leave', input: {} });
    await until(() => benAsMember() === undefined);
    await until(() => ben.client.inbox.getSnapshot().channels.every(({ id }) => id !== channelId));
    await until(async () => (await Promise.all([ada, ben].map(({ storage }) => storage.load()))).flat().length === 0);
    end();
  }, 40_000);
});
