import { setTimeout as sleep } from 'node:timers/promises';
import { CLOSE_CODES, comparePositions } from '@parley/protocol';
import { migrate } from '@parley/store';
import { createWSClient } from '@trpc/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { countViolations, type Kept, violationsOf } from '../src/history.ts';
import { keptIn } from './kept.ts';
import {
  allSettled,
  type Balancer,
  balance,
  type SdkUser,
  signToken,
  startSdkUser,
  until,
  wholeView,
} from './sdk-user.ts';
import { StockUser, signIn } from './stock-user.ts';

describe('@parley/client against two apis and a worker', () => {
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
      env: {
        SEND_RATE_PER_MINUTE: '1000000',
        SEND_BURST: '1000000',
        TOKEN_GRACE_MS: '500',
        DRAIN_WINDOW_MS: '1000',
      },
    });
    balancer = await balance(() => cluster.apis.map((api) => api.port));
    users = new AsyncDisposableStack();
    users.use(cluster);
    users.use(balancer);
  });
  afterAll(() => users?.disposeAsync());

  const secret = () => cluster.env.AUTH_SECRET ?? '';
  const join = async (name = `user ${++names}`) =>
    users.use(await startSdkUser(balancer.url, name, () => signToken(secret(), name, 3_600_000)));
  const channelOf = async (owner: SdkUser, others: readonly { userId: string }[]) => {
    const memberIds = others.map((user) => user.userId);
    return (await owner.client.createChannel({ kind: 'group', name: 'sdk', memberIds })).id;
  };
  const inboxOf = (user: SdkUser, channelId: string) =>
    user.client.inbox.getSnapshot().channels.find((channel) => channel.id === channelId);
  const bodies = (user: SdkUser) => user.looks[0]?.channel.store.getSnapshot().messages.map((each) => each.body);
  const keptOf = async (channelId: string) =>
    (await keptIn(cluster.databaseUrl)).filter((row) => row.channelId === channelId);

  /** Everybody says something in each of his channels, every few milliseconds, until `isOver`. */
  async function talk(speakers: readonly SdkUser[], isOver: () => boolean): Promise<void> {
    for (let i = 0; !isOver(); i += 1) {
      for (const user of speakers) for (const look of user.looks) user.send(look, `${user.name}: ${i}`);
      await sleep(25);
    }
  }

  /** What the checker finds, with every view as it is at the end, and whatever a view showed wrongly on the way. */
  async function findings(speakers: readonly SdkUser[]) {
    const channelIds = new Set(speakers.flatMap((user) => user.looks.map((look) => look.channelId)));
    const kept = (await keptIn(cluster.databaseUrl)).filter((row) => channelIds.has(row.channelId));
    const looks = speakers.flatMap((user) => user.looks.map((look) => ({ user, look })));
    const observed = await Promise.all(looks.map(({ user, look }) => wholeView(user, look)));
    const acked = looks.flatMap(({ look }) => [...look.acked.values()]);
    return {
      history: countViolations(violationsOf({ acked, observed, kept })),
      wrong: looks.flatMap(({ look }) => look.wrong).slice(0, 5),
      outOfOrder: looks.filter(({ user, look }) => {
        const own = kept.filter((row) => row.senderId === user.userId && row.channelId === look.channelId);
        return inOrder(own).join() !== look.sent.join();
      }).length,
    };
  }
  const inOrder = (rows: readonly Kept[]) =>
    [...rows].sort((a, b) => comparePositions(a.position, b.position)).map((row) => row.clientMsgId);
  const NOTHING = { history: {}, wrong: [], outOfOrder: 0 };

  it('[CLIENT-40] a message is shown at once, then accepted, then persisted, to both; nothing stays in the outbox', async () => {
    const [ada, bob] = await Promise.all([join(), join()]);
    const channelId = await channelOf(ada, [bob]);
    await until(() => inboxOf(bob, channelId) !== undefined);
    const look = ada.look(channelId);
    bob.look(channelId);
    await until(() => look.channel.store.getSnapshot().state === 'ready');
    const id = ada.send(look, 'hello');
    expect(bodies(ada)).toEqual(['hello']);
    await until(() => bodies(bob)?.[0] === 'hello');
    await allSettled([ada, bob], 5_000);
    expect(look.marks.get(id)).toEqual(['pending', 'accepted', 'persisted']);
    expect(await findings([ada, bob])).toEqual(NOTHING);
  });

  it('[CLIENT-41] unread counts rise by messages and fall by reading, on all devices of the reader', async () => {
    const [ada, bob] = await Promise.all([join(), join('bob')]);
    const bobsPhone = await join('bob');
    const channelId = await channelOf(ada, [bob]);
    const look = ada.look(channelId);
    for (let i = 1; i <= 3; i += 1) ada.send(look, `${i}`);
    for (const device of [bob, bobsPhone]) await until(() => inboxOf(device, channelId)?.unread === 3);
    expect(inboxOf(ada, channelId)?.unread).toBe(0);
    bob.look(channelId);
    await until(() => bodies(bob)?.length === 3);
    bob.client.markRead(channelId);
    for (const device of [bob, bobsPhone]) await until(() => inboxOf(device, channelId)?.unread === 0);
    const readTo = look.channel.store.getSnapshot().newest;
    expect(inboxOf(bobsPhone, channelId)?.readTo).toBe(readTo);
    // A device that comes later is told the same.
    expect(inboxOf(await join('bob'), channelId)).toMatchObject({ unread: 0, readTo });
  });

  it('[CLIENT-42] history is paged back to its beginning, each message once and in order', async () => {
    const [ada, bob] = await Promise.all([join(), join()]);
    const channelId = await channelOf(ada, [bob]);
    const look = ada.look(channelId);
    for (let i = 0; i < 120; i += 1) ada.send(look, `${i}`);
    await allSettled([ada], 10_000);
    const late = bob.look(channelId);
    await until(() => late.channel.store.getSnapshot().state === 'ready');
    expect(late.channel.store.getSnapshot()).toMatchObject({ hasOlder: true });
    expect(bodies(bob)).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 70}`));
    expect(await findings([ada, bob])).toEqual(NOTHING);
    expect(bodies(bob)).toEqual(Array.from({ length: 120 }, (_, i) => `${i}`));
  });

  it('[CLIENT-43] who is added to a group sees it at once and can talk; who is removed loses it', async () => {
    const [ada, bob, eve] = await Promise.all([join(), join(), join()]);
    const channelId = await channelOf(ada, [bob]);
    ada.look(channelId);
    expect(inboxOf(eve, channelId)).toBeUndefined();
    await ada.client.call('member.add', { channelId, userIds: [eve.userId] });
    await until(() => inboxOf(eve, channelId) !== undefined);
    const look = eve.look(channelId);
    await until(() => look.channel.store.getSnapshot().state === 'ready');
    eve.send(look, 'here I am');
    await until(() => bodies(ada)?.[0] === 'here I am');
    await allSettled([eve], 5_000);
    await ada.client.call('member.remove', { channelId, userId: eve.userId });
    await until(() => inboxOf(eve, channelId) === undefined);
    await until(() => look.channel.store.getSnapshot().state === 'closed');
    expect(look.channel.store.getSnapshot().failure?.code).toBe('NOT_FOUND');
  });

  it('[CLIENT-44] an api is killed, the other one drained: every view is whole, on whatever node it ends up', async () => {
    const speakers = await Promise.all([join(), join(), join(), join()]);
    const [owner, ...others] = speakers;
    const channelId = await channelOf(owner, others);
    for (const user of speakers) user.look(channelId);
    let isOver = false;
    const talking = talk(speakers, () => isOver);
    await sleep(500);
    const [killed, drained] = cluster.apis;
    await killed?.kill();
    await sleep(500);
    await cluster.startApi(killed?.port);
    const drainedTo = () => balancer.taken.get(killed?.port ?? 0) ?? 0;
    const before = drainedTo();
    await drained?.stop();
    await cluster.startApi(drained?.port);
    cluster.apis.splice(0, 2);
    await sleep(500);
    isOver = true;
    await talking;
    await allSettled(speakers, 20_000);
    expect(await findings(speakers)).toEqual(NOTHING);
    expect((await keptOf(channelId)).length).toBe(
      speakers.reduce((sum, user) => sum + (user.looks[0]?.sent.length ?? 0), 0),
    );
    expect(speakers.flatMap((user) => user.states).some((state) => state.status === 'reconnecting')).toBe(true);
    expect(drainedTo()).toBeGreaterThanOrEqual(before + speakers.length);
  }, 60_000);

  it('[CLIENT-45] a client whose tokens live for seconds keeps one connection and misses nothing', async () => {
    let tokens = 0;
    const token = (sub: string) => {
      tokens += 1;
      return signToken(secret(), sub, 5_000);
    };
    await using short = await startSdkUser(balancer.url, 'short', () => token('short'));
    const ada = await join();
    const channelId = await channelOf(ada, [short]);
    short.look(channelId);
    const look = ada.look(channelId);
    await until(() => short.looks[0]?.channel.store.getSnapshot().state === 'ready');
    // Control: a client that does not refresh is closed.
    const closed = Promise.withResolvers<number | undefined>();
    const stock = createWSClient({
      url: `${balancer.url.replace('http', 'ws')}/trpc`,
      connectionParams: { token: signToken(secret(), 'stock', 5_000) },
      onClose: (cause) => closed.resolve(cause?.code),
    });
    for (let i = 0; i < 12; i += 1) {
      ada.send(look, `${i}`);
      await sleep(1_000);
    }
    expect(await closed.promise).toBe(CLOSE_CODES.TOKEN_EXPIRED);
    await stock.close();
    await allSettled([ada, short], 5_000);
    expect(short.states.filter((state) => state.status !== 'connected')).toEqual([]);
    expect(tokens).toBeGreaterThanOrEqual(3);
    expect(await findings([ada, short])).toEqual(NOTHING);
  }, 40_000);

  it('[CLIENT-46] the log store is lost with everything in it: what was shown as accepted is persisted once, in the order it was sent', async () => {
    const speakers = await Promise.all([join(), join(), join()]);
    const [owner, ...others] = speakers;
    for (let i = 0; i < 2; i += 1) {
      const channelId = await channelOf(owner, others);
      for (const user of speakers) user.look(channelId);
    }
    // Control: senders that forget at `accepted`, beside the others.
    const url = () => cluster.apis[0]?.url ?? '';
    const forgetful = users.use(new StockUser('forgetful', await signIn(url(), 'forgetful'), url));
    const { id: channelId } = await forgetful.client.channel.create.mutate({ kind: 'group', name: 'x', memberIds: [] });
    let isOver = false;
    const talking = talk(speakers, () => isOver);
    const forgetting = (async () => {
      while (!isOver) await forgetful.send(channelId, 'x');
    })();
    await sleep(1_500);
    // What is accepted from here on has no second copy on the server.
    const [worker] = cluster.workers;
    if (worker) process.kill(worker.pid, 'SIGSTOP');
    await sleep(700);
    const shownBefore = speakers.flatMap((user) => user.looks.flatMap((look) => [...look.acked.values()]));
    await cluster.log.kill();
    if (worker) process.kill(worker.pid, 'SIGCONT');
    await sleep(300);
    await cluster.log.restart();
    await sleep(2_500);
    isOver = true;
    await Promise.all([talking, forgetting]);
    await allSettled(speakers, 30_000);

    const kept = await keptIn(cluster.databaseUrl);
    const moved = shownBefore.filter(
      (ack) => !kept.some((row) => row.messageId === ack.messageId && row.position === ack.position),
    );
    expect(moved.length).toBeGreaterThan(0);
    expect(await findings(speakers)).toEqual(NOTHING);
    const control = violationsOf({ acked: forgetful.acked, observed: [], kept });
    expect(countViolations(control).lost).toBeGreaterThan(0);
  }, 90_000);
});
