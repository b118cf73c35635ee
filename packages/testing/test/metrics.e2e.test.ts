import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import type { PrometheusServer } from '../src/servers/prometheus-server.ts';
import { needs } from '../src/vitest.ts';
import { type Crowd, gather, settled, talk, times } from './crowd.ts';
import { BREAKS, CONSTANTS, nameOf, SEEN_MS, stillOnes, targetsOf, watch } from './metric-movers.ts';
import { type Documented, documented, lint } from './metrics-page.ts';
import { type StockUser, signIn } from './stock-user.ts';

const SENDS = 600;
const SINCE = '15m';

const prometheus = needs('prometheus');
const promtool = needs('promtool');

prometheus.describe('a Prometheus beside two apis and a worker', () => {
  let cluster: Cluster;
  let server: PrometheusServer;

  beforeAll(async () => {
    cluster = await startCluster({
      apis: 2,
      workers: 1,
      migrate,
      env: {
        SEND_RATE_PER_MINUTE: '1000000',
        SEND_BURST: '1000000',
        THREADS: '2',
        TEST_CONTROLS: 'true',
        DB_SLOW_STATEMENT_MS: '1',
        SEARCHES_PER_MINUTE: '1',
        // Nobody listens there: what an outlet does is told of where there is one.
        WEBHOOK_URLS: 'http://127.0.0.1:1/',
        WEBHOOK_SECRET: 'x'.repeat(32),
      },
    });
    server = await watch(cluster, { program: prometheus.path });
  }, 180_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** Of all series that match, as Prometheus has them now; 0 where there is none. */
  async function sum(expression: string): Promise<number> {
    return (await server.query(`sum(${expression})`))[0]?.value ?? 0;
  }

  async function texts(): Promise<string[]> {
    const ports = [...cluster.apis, ...cluster.workers].map(({ opsPort }) => opsPort);
    return Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));
  }

  prometheus.test(
    '[MET-3] what rises between two scrapes is what the load generator did, on whatever thread and node',
    async () => {
      await using crowd = await gather(cluster, { users: 12, channels: 6, perChannel: 6 });
      const before = {
        accepted: await sum('parley_message_accept_seconds_count'),
        persisted: await sum('parley_message_persist_seconds_count'),
        calls: await sum('parley_call_seconds_count{path="message.send",outcome="ok"}'),
      };
      await talk(crowd, times(SENDS));
      await settled(crowd, 20_000);
      const rise = async (name: string, from: number) => (await sum(name)) - from;
      const acked = crowd.users.reduce((all, user) => all + user.acked.length, 0);
      expect(acked).toBe(SENDS);
      const seen = { timeout: SEEN_MS };
      await expect.poll(() => rise('parley_message_accept_seconds_count', before.accepted), seen).toBe(SENDS);
      await expect.poll(() => rise('parley_message_persist_seconds_count', before.persisted), seen).toBe(SENDS);
      const duplicates = crowd.users.reduce((all, user) => all + user.duplicates, 0);
      const answered = 'parley_call_seconds_count{path="message.send",outcome="ok"}';
      expect(await rise(answered, before.calls)).toBe(SENDS + duplicates);
      // Each message once for each thread with feeds of its channel, and there are four threads.
      const delivered = await sum('parley_message_delivery_seconds_count');
      expect(delivered).toBeGreaterThanOrEqual(SENDS);
      expect(delivered).toBeLessThanOrEqual(SENDS * 4);
      expect(await sum('parley_socket_connections')).toBe(12);
    },
    120_000,
  );

  prometheus.test(
    '[MET-5] gauges of what is open return to 0 when everybody has left',
    async () => {
      const open = ['socket_connections', 'stream_connections', 'hub_listeners', 'hub_channels', 'presence_sessions'];
      for (const name of open) await expect.poll(() => sum(`parley_${name}`), { timeout: SEEN_MS }).toBe(0);
      await expect.poll(() => sum('parley_backlog_entries'), { timeout: SEEN_MS }).toBe(0);
      expect(await sum('parley_backlog_drain_seconds')).toBe(0);
    },
    120_000,
  );

  prometheus.test(
    '[MET-4] the death of a thread sets no counter back and leaves none of its gauges',
    async () => {
      await using crowd = await gather(cluster, { users: 12, channels: 4, perChannel: 3 });
      const deaths = await sum('parley_thread_deaths_total');
      let more = true;
      const talking = talkSlowly(crowd, () => more);
      // The supervisor has what the thread told at the last scrape.
      await sleep(3_000);
      const [api] = cluster.apis;
      const ended = await fetch(`http://127.0.0.1:${api?.opsPort}/test/end-thread`, { method: 'POST' });
      expect(await ended.json()).toEqual({ ended: true });
      await expect.poll(() => sum('parley_thread_deaths_total'), { timeout: SEEN_MS }).toBe(deaths + 1);
      await expect.poll(() => sum('parley_threads_ready'), { timeout: SEEN_MS }).toBe(4);
      more = false;
      await talking;
      expect(await setBack(server)).toEqual([]);
      // Who was on the dead thread is on another one, and not counted twice.
      await expect.poll(() => sum('parley_socket_connections'), { timeout: SEEN_MS }).toBe(12);
    },
    120_000,
  );

  prometheus.test(
    '[MET-6] every documented metric is told, and moves with what it measures',
    async () => {
      await everythingHappens(cluster);
      const all = (await texts()).join('\n');
      const untold = documented().filter(({ name, type }) => !all.includes(`# TYPE ${name} ${type}\n`));
      expect(untold).toEqual([]);
      const others = new Set([...Object.values(BREAKS).flat().map(nameOf), ...Object.keys(CONSTANTS)]);
      const ours = documented().flatMap(({ name }) => (others.has(name) ? [] : [name]));
      await expect.poll(() => stillOnes(server, ours), { timeout: SEEN_MS, interval: 1_000 }).toEqual([]);
      expect(ours.length).toBeGreaterThan(55);
      // Control: what does not move is seen, and so is what is documented and not there.
      const planted = [...Object.keys(CONSTANTS), 'parley_planted_total'];
      expect(await stillOnes(server, planted)).toEqual(planted);
    },
    180_000,
  );

  promtool.test('[MET-2] `promtool check metrics` finds nothing wrong with a scrape', async () => {
    for (const text of await texts()) expect(await lint(promtool.path, text)).toBe('');
    const planted = '# HELP sends_ms x\n# TYPE sends_ms counter\nsends_ms 1\n';
    expect(await lint(promtool.path, planted)).toContain('counter metrics should have "_total" suffix');
  });

  prometheus.test(
    '[MET-4] control: a process that begins anew is seen to set its counters back',
    async () => {
      const [api] = cluster.apis;
      await api?.kill();
      const again = await cluster.startApi(api?.port);
      await server.retarget(targetsOf({ apis: [again], workers: [] }, api?.opsPort));
      await using crowd = await gather({ ...cluster, apis: [again] }, { users: 2, channels: 1, perChannel: 2 });
      await talk(crowd, times(10));
      await expect.poll(() => setBack(server), { timeout: SEEN_MS }).not.toEqual([]);
    },
    120_000,
  );
});

/** The counters and histograms of which a series ever fell. */
async function setBack(server: PrometheusServer): Promise<string[]> {
  const partsOf = ({ name, type }: Documented) =>
    type === 'histogram'
      ? ['count', 'sum', 'bucket'].map((part) => `${name}_${part}`)
      : type === 'counter'
        ? [name]
        : [];
  const fell = await Promise.all(
    documented()
      .flatMap(partsOf)
      .map(async (name) => ((await server.query(`max(resets(${name}[${SINCE}])) > 0`)).length > 0 ? [name] : [])),
  );
  return fell.flat();
}

/** As people do who leave a busy machine time for its threads. */
async function talkSlowly({ channels }: Crowd, more: () => boolean): Promise<void> {
  while (more()) {
    await Promise.all(channels.flatMap(({ id, members }) => members.map((user) => user.send(id, `from ${user.name}`))));
    await sleep(100);
  }
}

/** What a load run has nothing of: refusals, streams, receipts, typing, and stores that go and come back. */
async function everythingHappens(cluster: Cluster): Promise<void> {
  const [api] = cluster.apis;
  if (!api) throw new Error('no api');
  await using crowd = await gather(cluster, { users: 4, channels: 2, perChannel: 4 });
  const [user] = crowd.users;
  const [channel] = crowd.channels;
  if (!user || !channel) throw new Error('no crowd');
  await talk(crowd, times(40));
  await settled(crowd, 20_000);
  // While he is away something is said that he is told when he is back.
  user.cut();
  await talk({ ...crowd, channels: [{ ...channel, members: channel.members.slice(1) }] }, times(10));
  await settled(crowd, 20_000);
  await refusals(api.url, user);
  using stream = await openStream(api.url);
  // Who has written a message has read up to it.
  const { items: messages } = await user.client.message.page.query({ channelId: channel.id });
  for (const { client } of crowd.users) {
    for (const { position } of messages.slice(-1))
      await client.receipt.read.mutate({ channelId: channel.id, position });
    await client.typing.set.mutate({ channelId: channel.id, typing: true });
  }
  await sleep(2_000);
  void stream;
  await storesComeAndGo(cluster, crowd);
  // After the new epoch.
  await talk(crowd, times(20));
}

async function refusals(url: string, { client }: StockUser): Promise<void> {
  for (let i = 0; i < 20; i++) await client.message.search.query({ query: randomUUID() }).catch(() => undefined);
  await fetch(`${url}/trpc/user.me`, { headers: { authorization: 'Bearer nobody', 'x-parley-protocol': '1' } });
  await fetch(`${url}/trpc`, { headers: { connection: 'upgrade', upgrade: 'websocket' } }).catch(() => undefined);
  const evil = new WebSocket(`${url.replace('http', 'ws')}/elsewhere`);
  await new Promise((resolve) => evil.addEventListener('error', resolve));
  const silent = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`);
  await sleep(2_500);
  silent.close();
}

/** An inbox by an event stream. */
async function openStream(url: string): Promise<Disposable> {
  const { token } = await signIn(url, `stream-${randomUUID()}`);
  const leave = new AbortController();
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'x-parley-protocol': '1' };
  const response = await fetch(`${url}/trpc/feed.inbox`, { headers, signal: leave.signal });
  expect(response.status).toBe(200);
  const reading = response.text().catch(() => undefined);
  return {
    [Symbol.dispose]: () => {
      leave.abort();
      void reading;
    },
  };
}

async function storesComeAndGo({ log, cache, postgres }: Cluster, crowd: Crowd): Promise<void> {
  for (const store of [cache, log, postgres]) {
    await store.kill();
    // What is sent without Postgres waits in the log, and cannot be drained.
    if (store === postgres) await talk(crowd, times(4));
    await sleep(2_000);
    await store.restart();
    // The new epoch has the channels again before Postgres goes.
    if (store === log) await talk(crowd, times(8));
  }
  await sleep(2_000);
}
