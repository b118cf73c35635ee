import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Chatter, type Stack, startApp, startStack, text } from './stack.ts';
import { streamClient } from './stream-client.ts';

/** Every step on the way back to another node, on a slow machine. */
const BACK_MS = 30_000;

/** One address in front of the nodes, as a load balancer is: new connections go to the one it is told. */
async function startBalancer(first: number) {
  let to = first;
  const server = createServer((client) => {
    const node = connect(to, '127.0.0.1');
    for (const [from, other] of [
      [client, node],
      [node, client],
    ] as const) {
      from.pipe(other);
      from.on('error', () => other.destroy());
      from.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    turnTo: (next: number) => {
      to = next;
    },
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

describe('feeds over server-sent events on two nodes', () => {
  let stack: Stack;
  let ada: Chatter;
  let channelId: string;

  beforeAll(async () => {
    stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
    ada = await stack.user('ada');
    await stack.user('bob');
    const bob = await stack.http(await stack.token('bob')).user.me.query();
    channelId = (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.id] })).id;
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  /** A second node, behind a balancer that leads to it, and what bob sees through it while ada talks on the first one. */
  async function watching(env: Record<string, string>) {
    const resources = new AsyncDisposableStack();
    const port = await freePort();
    const all = { ...stack.env, THREADS: '1', PORT: String(port), OPS_PORT: String(await freePort()), ...env };
    const node = resources.use(await startApp('api', all));
    const balancer = resources.use(await startBalancer(port));
    const bob = streamClient({ base: () => balancer.url, token: () => stack.token('bob') });
    const feed = bob.channel(channelId);
    resources.defer(() => feed.leave());
    await vi.waitFor(() => expect(feed.types()).toContain('opened'), BACK_MS);
    const told: string[] = [];
    let talking = true;
    const talk = (async () => {
      while (talking) {
        const body = `${port} ${told.length}`;
        await ada.trpc.message.send.mutate(text(channelId, body));
        told.push(body);
        await sleep(30);
      }
    })();
    const hush = async () => {
      talking = false;
      await talk;
    };
    return { node, balancer, bob, feed, told, hush, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  it('[DOOR-51] the node of a stream is killed: it goes on from another one, without gap or repeat', async () => {
    await using scene = await watching({});
    const { node, balancer, bob, feed, told, hush } = scene;
    await vi.waitFor(() => expect(feed.bodies().length).toBeGreaterThan(10), BACK_MS);
    balancer.turnTo(stack.port);
    await node.kill();
    await vi.waitFor(() => expect(bob.sources.length).toBeGreaterThan(1), BACK_MS);
    await vi.waitFor(() => expect(feed.types().filter((type) => type === 'opened')).toHaveLength(2), BACK_MS);
    await hush();
    await vi.waitFor(() => expect(feed.bodies()).toEqual(told), BACK_MS);
    expect(feed.types()).not.toContain('resync');
    expect(feed.errors).toEqual([]);
  }, 90_000);

  it('[DOOR-52] the node of a stream is drained: its client is asked to come anew, and misses nothing', async () => {
    await using scene = await watching({ DRAIN_WINDOW_MS: '1000' });
    const { node, balancer, bob, feed, told, hush } = scene;
    await vi.waitFor(() => expect(feed.bodies().length).toBeGreaterThan(10), BACK_MS);
    balancer.turnTo(stack.port);
    await node.stop();
    await vi.waitFor(() => expect(feed.types().filter((type) => type === 'opened')).toHaveLength(2), BACK_MS);
    await hush();
    await vi.waitFor(() => expect(feed.bodies()).toEqual(told), BACK_MS);
    // Nobody had to find out: each source had one answer.
    expect(bob.sources.map((source) => source.statuses)).toEqual([[200], [200]]);
    expect(feed.errors).toEqual([]);
  }, 90_000);
});
