import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { PAGE_MAX } from '@parley/protocol';
import { migrate } from '@parley/store';
import { afterAll, beforeAll } from 'vitest';
import { type ApiProcess, type Cluster, startCluster } from '../src/cluster.ts';
import type { PrometheusServer } from '../src/servers/prometheus-server.ts';
import { needs } from '../src/vitest.ts';
import { moved, watch } from './metric-movers.ts';
import { until } from './sdk-user.ts';
import { openTunnel } from './stalling-tunnel.ts';
import { StockUser, signIn } from './stock-user.ts';
import { DEBUGGABLE, stickThread } from './stuck-thread.ts';

const BODY = 'words '.repeat(330);
/** With so much waiting a socket is written to no more. */
const SHUT_BYTES = 65_536;
/** A thread that does not answer costs a scrape a second: Prometheus must wait longer than that. */
const EVERY_MS = 2_000;
const POOL_MAX = '6';

const prometheus = needs('prometheus');
const taskset = needs('taskset');

prometheus.describe('a Prometheus beside two apis', () => {
  let cluster: Cluster;
  let server: PrometheusServer;

  beforeAll(async () => {
    const env = { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000', THREADS: '2', ...DEBUGGABLE };
    cluster = await startCluster({ apis: 1, workers: 1, migrate, env });
    // As long as it takes to be seen; it is killed then.
    await cluster.startApi(undefined, undefined, { DRAIN_DELAY_MS: '120000' });
    server = await watch(cluster, { program: prometheus.path, everyMs: EVERY_MS });
  }, 180_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  function apiAt(index: number): ApiProcess {
    const api = cluster.apis[index];
    if (!api) throw new Error('no such api');
    return api;
  }

  prometheus.test(
    '[MET-43] what a client does not read is seen while it waits, and when the client is cut off',
    async () => {
      const { port, url } = apiAt(0);
      await using tunnel = await openTunnel(port);
      const sign = await signIn(url, 'in a tunnel');
      await using user = new StockUser('in a tunnel', sign, () => url);
      const { id: channelId } = await user.client.channel.create.mutate({
        kind: 'group',
        name: 'tunnel',
        memberIds: [],
      });
      for (let i = 0; i < PAGE_MAX; i += 10) {
        await Promise.all(Array.from({ length: 10 }, () => user.send(channelId, BODY)));
      }
      const socket = new WebSocket(`${tunnel.url.replace('http', 'ws')}/trpc?connectionParams=1`);
      await once(socket, 'open');
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token: sign.token } }));
      tunnel.stall();
      let pages = 0;
      const ask = async () => {
        const params = { path: 'message.page', input: { channelId, limit: PAGE_MAX } };
        socket.send(JSON.stringify({ id: ++pages, method: 'query', params }));
        await until(
          async () => (await told(apiAt(0), 'call_seconds_count{path="message.page",outcome="ok"}')) === pages,
        );
      };
      // One after the other: together they would be more than a reader may leave, and he would be cut off before he is seen.
      while ((await told(apiAt(0), 'socket_buffered_bytes')) < SHUT_BYTES) await ask();
      // Whoever asks for more than he takes is waited for.
      await ask();
      await moved(server, 'a client that does not read');
      await moved(server, 'a client that does not read for too long');
    },
    180_000,
  );

  prometheus.test(
    '[MET-43] a thread that is stuck is seen while it is, and when it is ended',
    async () => {
      using stuck = await stickThread(apiAt(0), /\bthread\.ts$/, 120_000);
      await moved(server, 'a thread that is stuck');
      await moved(server, 'a thread that stays stuck');
      void stuck;
    },
    180_000,
  );

  prometheus.test(
    '[MET-43] a process that ends is seen to drain, and one in its place to have other settings',
    async () => {
      const leaving = apiAt(1);
      process.kill(leaving.pid, 'SIGTERM');
      await moved(server, 'the orderly end of a process');
      await leaving.kill();
      await cluster.startApi(leaving.port, leaving.opsPort, { DB_POOL_MAX: POOL_MAX });
      await moved(server, 'a process that comes back with other settings');
    },
    180_000,
  );

  if (availableParallelism() > 1) {
    taskset.test(
      '[MET-43] a process that may use fewer cores is seen to',
      async () => {
        await promisify(execFile)(taskset.path, ['-pc', '0', String(apiAt(0).pid)]);
        await moved(server, 'a process that is bound to one core');
      },
      180_000,
    );
  }
});

/** A number of the api's own page; 0 where it tells of none yet. */
async function told({ opsPort }: ApiProcess, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`parley_${series} `));
  return Number(line?.slice(line.lastIndexOf(' ')) ?? 0);
}
