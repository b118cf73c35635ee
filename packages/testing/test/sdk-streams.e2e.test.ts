import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChatClient } from '@parley/client';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestEventSource } from '../../../apps/api/test/event-source.ts';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { countViolations, violationsOf } from '../src/history.ts';
import { freePort } from '../src/servers/free-port.ts';
import { keptIn } from './kept.ts';
import { allSettled, type SdkUser, signToken, startSdkUser, until, wholeView } from './sdk-user.ts';

/** The pause of a stream that is asked to come anew, and a slow machine. */
const BACK_MS = 40_000;

/** Node has none of its own. */
const EventSource = TestEventSource as unknown as typeof globalThis.EventSource;

/** A proxy that carries HTTP and no sockets, as those of some companies do. */
interface StrictProxy extends AsyncDisposable {
  readonly url: string;
  /** Sockets that somebody tried to open. */
  readonly refused: () => number;
}

async function openStrictProxy(target: () => string): Promise<StrictProxy> {
  let refused = 0;
  const server = createServer((req, res) => {
    const inner = request(`${target()}${req.url}`, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    inner.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    res.on('close', () => inner.destroy());
    req.pipe(inner);
  });
  server.on('upgrade', (_, socket) => {
    refused++;
    socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    refused: () => refused,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the client where a proxy forbids sockets', () => {
  let cluster: Cluster;
  let proxy: StrictProxy;
  const users = new AsyncDisposableStack();

  beforeAll(async () => {
    cluster = await startCluster({ apis: 1, workers: 1, migrate, env: { RATE_LIMIT_ENABLED: 'false' } });
    proxy = await openStrictProxy(() => cluster.apis.at(-1)?.url ?? '');
  });
  afterAll(async () => {
    await users.disposeAsync();
    await proxy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  const tokenOf = (name: string, lifeMs = 3_600_000) => signToken(cluster.env.AUTH_SECRET ?? '', name, lifeMs);
  const join = async (name: string, getToken = () => tokenOf(name)) => {
    return users.use(await startSdkUser(proxy.url, name, { getToken, carrier: 'stream', EventSource }));
  };
  const channelOf = async (owner: SdkUser, other: SdkUser) =>
    (await owner.client.createChannel({ kind: 'group', name: 'streams', memberIds: [other.userId] })).id;

  it('[CLIENT-110] goes on over HTTP and streams, through a killed api: nothing is lost, no gap, no repeat', async () => {
    const [ada, bob] = [await join('ada'), await join('bob')];
    const channelId = await channelOf(ada, bob);
    const looks = [ada, bob].map((user) => ({ user, look: user.look(channelId) }));
    await until(() => looks.every(({ look }) => look.channel.store.getSnapshot().state === 'ready'), BACK_MS);
    for (let i = 0; i < 60; i++) {
      for (const { user, look } of looks) user.send(look, `${user.name} ${i}`);
      if (i === 20) {
        const api = cluster.apis.at(-1);
        await api?.kill();
        await cluster.startApi(api?.port, api?.opsPort);
      }
      await sleep(20);
    }
    await allSettled([ada, bob], BACK_MS);
    const kept = (await keptIn(cluster.databaseUrl)).filter((row) => row.channelId === channelId);
    expect(kept).toHaveLength(120);
    const acked = looks.flatMap(({ look }) => [...look.acked.values()]);
    await until(() => looks.every(({ look }) => look.channel.store.getSnapshot().messages.length >= 50), BACK_MS);
    await until(async () => {
      const observed = await Promise.all(looks.map(({ user, look }) => wholeView(user, look)));
      return Object.keys(countViolations(violationsOf({ acked, observed, kept }))).length === 0;
    }, BACK_MS);
    expect(looks.flatMap(({ look }) => look.wrong)).toEqual([]);
    // The inbox's stream pauses before it comes back; calls do not wait for it.
    await until(() => ada.client.connection.getSnapshot().status === 'connected', BACK_MS);
  }, 180_000);

  it('[CLIENT-110] control: over a socket nothing gets through it', async () => {
    const before = proxy.refused();
    const name = 'eve';
    const joining = startSdkUser(proxy.url, name, () => tokenOf(name));
    await expect(joining).rejects.toThrow('not so within');
    expect(proxy.refused()).toBeGreaterThan(before);
  }, 60_000);

  it('[CLIENT-111] asks for its token anew before it expires, and for no call that needs none', async () => {
    let asked = 0;
    const user = await join('joe', () => {
      asked++;
      return tokenOf('joe', 4_000);
    });
    const first = asked;
    for (let i = 0; i < 5; i++) await user.client.call('user.me', undefined);
    expect(asked).toBe(first);
    await sleep(4_500);
    for (let i = 0; i < 5; i++) await user.client.call('user.me', undefined);
    expect(asked).toBeGreaterThan(first);
  }, 60_000);

  it('[CLIENT-112] is stopped for good by a server that does not know its user, and says why', async () => {
    const client = createChatClient({
      url: `${proxy.url}/trpc`,
      getToken: () => signToken('another secret of at least 32 bytes', 'mallory', 60_000),
      carrier: 'stream',
      EventSource,
    });
    await client.run();
    await until(() => client.connection.getSnapshot().status === 'stopped');
    expect(client.connection.getSnapshot()).toMatchObject({ closeCode: 4501, reason: 'UNAUTHENTICATED' });
    // What is asked afterwards ends at once.
    await expect(client.call('user.me', undefined)).rejects.toThrow('aborted');
  }, 60_000);
});
