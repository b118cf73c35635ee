import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { AppRouter } from '@parley/api/router';
import { migrate } from '@parley/store';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { StockUser, signIn } from './stock-user.ts';

/** Words that only the inside of the server uses. */
const INTERNAL = /\bat \w+.*:\d+:\d+|node_modules|\.ts:|select |insert into|EVALSHA|NOSCRIPT|ECONN|stack/i;

/** Sends bytes as they are and gives back what came until the peer closed, or for a second. */
async function raw(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  socket.on('error', (error) => {
    got += `[${error.message}]`;
  });
  socket.write(text);
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  socket.destroy();
  return got;
}

const upgrade = (path: string, headers: Record<string, string>) =>
  [
    `GET ${path} HTTP/1.1`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n');

function token(secret: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Opens a socket, says something, and waits for its close. */
async function closedAfter(
  url: string,
  say: string[],
  query = '?connectionParams=1',
): Promise<{ code: number; frames: string[] }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc${query}`);
  const frames: string[] = [];
  socket.addEventListener('message', (event) => frames.push(String(event.data)));
  await once(socket, 'open');
  for (const frame of say) socket.send(frame);
  const [closed] = (await once(socket, 'close')) as [CloseEvent];
  return { code: closed.code, frames };
}

const params = (given: object) => JSON.stringify({ method: 'connectionParams', data: given });

describe('what is refused, and how', () => {
  let cluster: Cluster;
  let url = '';
  let port = 0;
  let user: StockUser;
  let channelId = '';
  beforeAll(async () => {
    cluster = await startCluster({ apis: 1, workers: 1, migrate });
    ({ url = '', port = 0 } = cluster.apis[0] ?? {});
    user = new StockUser('ada', await signIn(url, 'ada'), () => url);
    channelId = (await user.client.channel.create.mutate({ kind: 'group', name: 'c', memberIds: [] })).id;
  });
  afterAll(async () => {
    await user?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });
  // Whatever was thrown at it: the process answers, and it is the same process.
  afterEach(async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(cluster.apis[0]?.output()).not.toMatch(/restart|respawn|exited/i);
  });

  it.each([
    ['GET //', upgrade('//', { Host: '127.0.0.1' }), 400],
    ['another path', upgrade('/nowhere', { Host: '127.0.0.1' }), 404],
    ['Host: [', upgrade('/trpc', { Host: '[' }), 400],
    ['Host: a b', upgrade('/trpc', { Host: 'a b' }), 400],
    ['Host: a:99999', upgrade('/trpc', { Host: 'a:99999' }), 400],
    ['an empty Host', upgrade('/trpc', { Host: '' }), 400],
    ['another Origin', upgrade('/trpc', { Host: '127.0.0.1', Origin: 'https://evil.example' }), 403],
  ])('[DOOR-1] a handshake with %s is answered with a plain status', async (_, request, status) => {
    const answer = await raw(port, request);
    expect(answer.split('\r\n')[0]).toContain(` ${status} `);
    expect(answer).not.toMatch(INTERNAL);
  });

  it.each<[string, object]>([
    ['no token', {}],
    ['a token of another secret', { token: token('x'.repeat(32), { sub: 'ada', exp: 9e9 }) }],
    ['garbage', { token: 'a.b.c' }],
  ])('[AUTH-30] %s: a typed error and a close code that says not to come back', async (_, given) => {
    const call = JSON.stringify({ id: 1, method: 'query', params: { path: 'user.me' } });
    const closed = await closedAfter(url, [params(given), call]);
    expect(closed.code).toBe(4501);
    expect(closed.frames.join()).toContain('UNAUTHENTICATED');
    expect(closed.frames.join()).not.toMatch(INTERNAL);
  });

  it('[AUTH-31] an expired token: TOKEN_EXPIRED and 4003, which says to come back with a new one', async () => {
    const expired = token(cluster.env.AUTH_SECRET ?? '', { sub: 'ada', exp: Math.floor(Date.now() / 1000) - 60 });
    const call = JSON.stringify({ id: 1, method: 'query', params: { path: 'user.me' } });
    const closed = await closedAfter(url, [params({ token: expired }), call]);
    expect(closed.code).toBe(4003);
    expect(closed.frames.join()).toContain('TOKEN_EXPIRED');
  });

  it('[DOOR-2] a socket that announces credentials and then is silent is closed, and may come back', async () => {
    expect((await closedAfter(url, [])).code).toBe(4004);
  }, 15_000);

  it('[AUTH-32] a socket that announces no credentials is no user', async () => {
    expect((await closedAfter(url, [], '')).code).toBe(4501);
  }, 15_000);

  it('[DOOR-3] a frame of 70 KB is closed with 1009', async () => {
    const { token: good } = await signIn(url, 'ada');
    const closed = await closedAfter(url, [params({ token: good }), 'x'.repeat(70_000)]);
    expect(closed.code).toBe(1009);
  });

  it('[DOOR-4] a batch of 5,000 calls is refused whole', async () => {
    const { token: good } = await signIn(url, 'ada');
    const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`);
    await once(socket, 'open');
    const frames: string[] = [];
    socket.addEventListener('message', (event) => frames.push(String(event.data)));
    socket.send(params({ token: good }));
    // 5,000 calls fit a frame only when each is as short as a call can be.
    socket.send(JSON.stringify(Array.from({ length: 5_000 }, () => ({ id: 1 }))));
    await new Promise((resolve) => setTimeout(resolve, 500));
    socket.close();
    const answers = frames.flatMap((frame) => JSON.parse(frame) as { error?: unknown; result?: unknown }[]);
    expect(answers.filter((answer) => answer.result !== undefined)).toEqual([]);
    expect(answers.length).toBeLessThanOrEqual(1);
    expect(frames.join()).not.toMatch(INTERNAL);
  });

  it.each([
    ['NUL', 'a\u0000b', 'INVALID'],
    ['a lone surrogate', 'a\ud800b', 'INVALID'],
    ['2,049 bytes', 'x'.repeat(2_049), 'TOO_LARGE'],
    ['nothing', '', 'INVALID'],
  ])('[SEND-5] a body of %s is refused by name, and nothing is sent', async (_, body, code) => {
    const refused = user.client.message.send.mutate({ channelId, clientMsgId: randomUUID(), body });
    await expect(refused).rejects.toMatchObject({ data: { parley: { code, retryable: false } } });
    expect((await user.client.message.page.query({ channelId })).items).toEqual([]);
  });

  it('[SEND-6] a send to a channel that one is not in looks like a channel that does not exist', async () => {
    const stranger = new StockUser('eve', await signIn(url, 'eve'), () => url);
    const say = (to: string) =>
      stranger.client.message.send
        .mutate({ channelId: to, clientMsgId: randomUUID(), body: 'hi' })
        .catch((error: unknown) => error as { message: string; data: { parley: unknown } });
    const [inside, nowhere] = [await say(channelId), await say(randomUUID())];
    expect(inside).toMatchObject({ data: { parley: { code: 'NOT_FOUND', retryable: false } } });
    expect('data' in nowhere && nowhere.data.parley).toEqual('data' in inside && inside.data.parley);
    expect('message' in nowhere && nowhere.message).toBe('message' in inside && inside.message);
    await stranger[Symbol.asyncDispose]();
  });

  it('[DOOR-5] an unknown path and a junk envelope are answered, with a code and without internals', async () => {
    const { token: good } = await signIn(url, 'ada');
    const client = createWSClient({ url: `${url.replace('http', 'ws')}/trpc`, connectionParams: { token: good } });
    const trpc = createTRPCClient<AppRouter>({ links: [wsLink({ client })] });
    const unknown = trpc as unknown as { no: { such: { query(): Promise<never> } } };
    const error = await unknown.no.such
      .query()
      .catch((e: unknown) => e as { message: string; data: { parley: unknown } });
    expect(error).toMatchObject({ data: { parley: { code: 'NOT_FOUND' } } });
    expect(JSON.stringify(error)).not.toMatch(INTERNAL);
    await client.close();
  });
});
