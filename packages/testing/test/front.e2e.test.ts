import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { expect } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { freePort } from '../src/servers/free-port.ts';
import { ServerProcess } from '../src/servers/server-process.ts';
import { needs } from '../src/vitest.ts';
import { type Crowd, settled, talk, times } from './crowd.ts';
import { StockUser, signIn } from './stock-user.ts';

const haproxy = needs('haproxy', '/usr/sbin/haproxy');
const SHIPPED = fileURLToPath(new URL('../../../deploy/haproxy/haproxy.cfg', import.meta.url));
const USERS = 8;
const SENDS = 400;
// A check a second, as the configuration has it; the drain begins once every proxy has seen that the api is not ready.
const DRAIN = { DRAIN_DELAY_MS: '3000', DRAIN_WINDOW_MS: '2000' };

/** HAProxy with the configuration of `deploy/haproxy`, told by its environment where the two apis are. */
interface Front extends AsyncDisposable {
  readonly url: string;
  /** The sum of one of its own metrics over the series that have these labels. */
  sum(name: string, labels: string): Promise<number>;
}

async function startFront(cluster: Cluster, change: (config: string) => string = (config) => config): Promise<Front> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-front-'));
  const file = join(dir, 'haproxy.cfg');
  await writeFile(file, change(await readFile(SHIPPED, 'utf8')));
  const [port, opsPort] = [await freePort(), await freePort()];
  const [one, two] = cluster.apis;
  const env = {
    BIND: `127.0.0.1:${port}`,
    OPS_BIND: `127.0.0.1:${opsPort}`,
    MAXCONN: '500',
    API_1: `127.0.0.1:${one?.port}`,
    API_1_OPS_PORT: `${one?.opsPort}`,
    API_2: `127.0.0.1:${two?.port}`,
    API_2_OPS_PORT: `${two?.opsPort}`,
  };
  const server = new ServerProcess({
    command: haproxy.path,
    args: ['-db', '-f', file],
    env,
    cwd: dir,
    whenOrphaned: 'TERM',
  });
  const url = `http://127.0.0.1:${port}`;
  const metrics = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  await expect.poll(() => metrics().then(() => 'answers', String), { timeout: 20_000 }).toBe('answers');
  return {
    url,
    sum: async (name, labels) => {
      const lines = (await metrics())
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    [Symbol.asyncDispose]: async () => {
      await server.end('SIGTERM', 5_000);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Users behind the proxy, all of one channel, who watch it. */
async function arrive(cluster: Cluster, front: Front): Promise<Crowd> {
  const at = cluster.apis[0]?.url ?? '';
  const users: StockUser[] = [];
  // One after the other, so that the proxy knows who is where.
  for (let i = 0; i < USERS; i++) {
    const user = new StockUser(`front-${i}`, await signIn(at, `front-${i}`), () => front.url);
    await user.client.channel.list.query({});
    users.push(user);
  }
  const [owner, ...others] = users;
  if (!owner) throw new RangeError('nobody is there');
  const memberIds = others.map(({ userId }) => userId);
  const { id } = await owner.client.channel.create.mutate({ kind: 'group', name: 'front', memberIds });
  await Promise.all(users.map((user) => user.watch(id)));
  return {
    users,
    channels: [{ id, members: users }],
    [Symbol.asyncDispose]: async () => {
      await Promise.all(users.map((user) => user[Symbol.asyncDispose]()));
    },
  };
}

const sockets = (front: Front, api: string) => front.sum('haproxy_server_current_sessions', `server="${api}"`);
const refusals = (front: Front) => front.sum('haproxy_frontend_http_responses_total', 'proxy="users",code="5xx"');
const ENV = { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000', ...DRAIN };

haproxy.describe('the HAProxy that is shipped, in front of two apis', () => {
  haproxy.test(
    '[DEPLOY-39] spreads sockets, sends nobody to an api that drains, and shows no user a refusal',
    async () => {
      await using cluster = await startCluster({ apis: 2, workers: 1, migrate, env: ENV });
      await using front = await startFront(cluster);
      await using crowd = await arrive(cluster, front);
      expect([await sockets(front, 'api1'), await sockets(front, 'api2')]).toEqual([USERS / 2, USERS / 2]);
      const stopped = cluster.apis[0]?.stop();
      let more = true;
      const talking = talk(crowd, () => more);
      expect(await stopped).toBe(0);
      more = false;
      await talking;
      await talk(crowd, times(SENDS));
      await settled(crowd, 30_000);
      expect([await sockets(front, 'api1'), await sockets(front, 'api2')]).toEqual([0, USERS]);
      expect(await refusals(front)).toBe(0);
      const acked = crowd.users.reduce((sum, user) => sum + user.acked.length, 0);
      for (const { watches } of crowd.users) {
        expect(
          watches.map(({ seen, resyncs }) => [new Set(seen.map(({ messageId }) => messageId)).size, resyncs]),
        ).toEqual([[acked, []]]);
      }
    },
    180_000,
  );

  haproxy.test(
    '[DEPLOY-39] control: without the checks and second tries users are sent to it, and refused',
    async () => {
      await using cluster = await startCluster({ apis: 2, workers: 1, migrate, env: ENV });
      const blind = (config: string) =>
        config
          .replace(/^ {2}(retry-on|option redispatch).*$/gm, '')
          .replace('retries 3', 'retries 0')
          .replace(' check inter 1s', ' inter 1s');
      await using front = await startFront(cluster, blind);
      await using crowd = await arrive(cluster, front);
      expect(await cluster.apis[0]?.stop()).toBe(0);
      await expect.poll(() => refusals(front), { timeout: 20_000 }).toBeGreaterThan(0);
      expect(crowd.users).toHaveLength(USERS);
    },
    180_000,
  );
});
