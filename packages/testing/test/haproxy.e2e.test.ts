import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { expect } from 'vitest';
import { type ApiProcess, type Cluster, startCluster } from '../src/cluster.ts';
import { countViolations, type Observed, violationsOf } from '../src/history.ts';
import { type HaproxyServer, startHaproxy } from '../src/servers/haproxy-server.ts';
import { needs } from '../src/vitest.ts';
import { type Crowd, gather, settled, talk, times } from './crowd.ts';
import { keptIn } from './kept.ts';
import { StockUser, signIn } from './stock-user.ts';
import { verify } from './verify.ts';

const haproxy = needs('haproxy', '/usr/sbin/haproxy');
const UNLIMITED = { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000' };
/** What the issue asks for while everything is replaced. */
const RATE_PER_SECOND = 500;
const WAIT_MAX_MS = 5_000;

const nameOf = (port: number) => `api-${port}`;

function inFrontOf(cluster: Cluster): Promise<HaproxyServer> {
  const backends = cluster.apis.map(({ port, opsPort }) => ({ name: nameOf(port), port, opsPort }));
  return startHaproxy({ program: haproxy.path, backends });
}

async function found({ users }: Crowd, cluster: Cluster, observed?: readonly Observed[]) {
  const acked = users.flatMap((user) => user.acked);
  const seen = observed ?? users.flatMap((user) => user.watches);
  return countViolations(violationsOf({ acked, observed: seen, kept: await keptIn(cluster.databaseUrl) }));
}

haproxy.describe('three apis behind HAProxy, each connection to the next one', () => {
  haproxy.test(
    '[OPS-1] reconnects land anywhere and resume exactly: no gap, no repeat, no resync',
    async () => {
      await using cluster = await startCluster({ apis: 3, workers: 1, migrate, env: UNLIMITED });
      await using balancer = await inFrontOf(cluster);
      await using crowd = await gather(cluster, { users: 12, channels: 6, perChannel: 6, url: balancer.url });
      const before = await balancer.standings();
      const cutting = setInterval(() => crowd.users[Math.floor(Math.random() * crowd.users.length)]?.cut(), 50);
      await talk(crowd, times(3_000));
      clearInterval(cutting);
      await settled(crowd, 30_000);

      expect(await verify(cluster.env)).toMatchObject({ code: 0, report: { lost: 0, duplicate: 0, persisted: 3_000 } });
      expect(await found(crowd, cluster)).toEqual({});
      expect(crowd.users.flatMap((user) => user.watches.flatMap((watch) => watch.resyncs))).toEqual([]);
      const after = await balancer.standings();
      for (const [name, { sessions }] of after) expect(sessions).toBeGreaterThan(before.get(name)?.sessions ?? 0);
    },
    120_000,
  );

  haproxy.test(
    '[OPS-1] control: a client that comes back without its last position misses messages, and the checker sees it',
    async () => {
      await using cluster = await startCluster({ apis: 3, workers: 1, migrate, env: UNLIMITED });
      await using balancer = await inFrontOf(cluster);
      await using crowd = await gather(cluster, { users: 2, channels: 1, perChannel: 2, url: balancer.url });
      const [channel] = crowd.channels;
      const [speaker, listener] = crowd.users;
      if (!channel || !speaker || !listener) throw new Error('two users and a channel');
      await speaker.send(channel.id, 'heard');
      await settled(crowd, 10_000);
      await listener[Symbol.asyncDispose]();
      await speaker.send(channel.id, 'said while nobody listened');
      await using again = new StockUser(
        listener.name,
        await signIn(cluster.apis[0]?.url ?? '', listener.name),
        () => balancer.url,
      );
      await again.watch(channel.id);
      await speaker.send(channel.id, 'heard again');
      for (const until = Date.now() + 10_000; again.watches[0]?.seen.length !== 1 && Date.now() < until; )
        await sleep(20);
      const seen = [listener, again].flatMap((user) => user.watches.flatMap((watch) => watch.seen));
      for (const until = Date.now() + 10_000; (await keptIn(cluster.databaseUrl)).length < 3 && Date.now() < until; )
        await sleep(50);
      expect(await found(crowd, cluster, [{ observer: listener.name, channelId: channel.id, seen }])).toEqual({
        gap: 1,
      });
    },
    60_000,
  );
});

/** Sends at a steady rate, whatever the answers take, until it is stopped; then waits for all answers. */
function steady(crowd: Crowd, perSecond: number) {
  const waits: number[] = [];
  const sends: Promise<void>[] = [];
  const begun = performance.now();
  const seats = crowd.channels.flatMap(({ id, members }) => members.map((user) => ({ id, user })));
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1_000) * perSecond);
    while (sends.length < due) {
      const seat = seats[sends.length % seats.length];
      const sentAt = performance.now();
      const answered = seat?.user.send(seat.id, `number ${sends.length}`);
      sends.push(Promise.resolve(answered).then(() => void waits.push(performance.now() - sentAt)));
    }
  }, 10);
  return async () => {
    clearInterval(timer);
    const seconds = (performance.now() - begun) / 1_000;
    await Promise.all(sends);
    const sorted = waits.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
    return { sent: sends.length, rate: Math.round(sends.length / seconds), p50: at(0.5), p99: at(0.99), max: at(1) };
  };
}

type Leave = (api: ApiProcess) => Promise<number | null>;

/** Workers first, then one api after the other: each leaves, and its successor is waited for until HAProxy sends it clients. */
async function roll(cluster: Cluster, balancer: HaproxyServer, leave: Leave): Promise<(number | null)[]> {
  const codes: (number | null)[] = [];
  for (const worker of [...cluster.workers]) {
    await cluster.startWorker();
    codes.push(await worker.stop());
  }
  for (const api of [...cluster.apis]) {
    codes.push(await leave(api));
    await balancer.until(nameOf(api.port), false);
    await cluster.startApi(api.port, api.opsPort);
    await balancer.until(nameOf(api.port), true);
  }
  return codes;
}

/** Replaces everything of a deployment under load, and tells what its clients noticed. */
async function replaced(leave: Leave) {
  await using cluster = await startCluster({
    apis: 2,
    workers: 1,
    migrate,
    env: { ...UNLIMITED, DRAIN_DELAY_MS: '1500', DRAIN_WINDOW_MS: '3000' },
  });
  await using balancer = await inFrontOf(cluster);
  await using crowd = await gather(cluster, { users: 20, channels: 10, perChannel: 4, url: balancer.url });
  const stop = steady(crowd, RATE_PER_SECOND);
  await sleep(2_000);
  const codes = await roll(cluster, balancer, leave);
  await sleep(2_000);
  const load = await stop();
  await settled(crowd, 20_000);
  const watches = crowd.users.flatMap((user) => user.watches);
  return {
    ...load,
    // Sends that met an error on their way, and were sent again.
    retries: crowd.users.reduce((sum, user) => sum + user.retries, 0),
    slowestMs: Math.max(...watches.map((watch) => watch.slowestMs)),
    resyncs: watches.flatMap((watch) => watch.resyncs),
    codes,
    kept: await verify(cluster.env),
    found: await found(crowd, cluster),
  };
}

haproxy.describe('everything is replaced under 500 messages a second', () => {
  haproxy.test(
    '[OPS-2] none is lost, none doubled, none fails on its way, and nobody waits for 5 s',
    async () => {
      const outcome = await replaced((api) => api.stop());
      console.log(`rolling restart: ${JSON.stringify(outcome)}`);
      expect(outcome.codes).toEqual([0, 0, 0]);
      expect(outcome.kept).toMatchObject({ code: 0, report: { lost: 0, duplicate: 0, persisted: outcome.sent } });
      expect(outcome.found).toEqual({});
      expect(outcome.resyncs).toEqual([]);
      expect(outcome.rate).toBeGreaterThan(RATE_PER_SECOND * 0.9);
      expect(outcome.retries).toBe(0);
      expect(outcome.max).toBeLessThan(WAIT_MAX_MS);
      expect(outcome.slowestMs).toBeLessThan(WAIT_MAX_MS);
    },
    180_000,
  );

  haproxy.test(
    '[OPS-2] control: apis that are killed instead of drained cut sends off',
    async () => {
      const outcome = await replaced((api) => api.kill().then(() => null));
      console.log(`control: ${JSON.stringify(outcome)}`);
      expect(outcome.retries).toBeGreaterThan(0);
      expect(outcome.found).toEqual({});
    },
    180_000,
  );
});
