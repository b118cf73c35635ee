import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { failureOf, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let webRoot: string;

beforeAll(async () => {
  webRoot = await mkdtemp(join(tmpdir(), 'parley-web-'));
  await mkdir(join(webRoot, 'assets'));
  await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(webRoot, 'assets', 'app-1.js'), '1');
  stack = await startStack({ WEB_ROOT: webRoot, TOKEN_GRACE_MS: '300', CONNECTIONS_PER_USER: '2', SEND_BURST: '3' });
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await rm(webRoot, { recursive: true });
});

/** Opens a socket by hand and gives the code it is closed with. */
function closeCode(connectionParams: object | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/trpc?connectionParams=1`);
    socket.on('open', () => {
      if (connectionParams) socket.send(JSON.stringify({ method: 'connectionParams', data: connectionParams }));
    });
    socket.on('close', resolve);
    socket.on('error', reject);
  });
}

describe('sockets', () => {
  it('[AUTH-10] without a token, with a bad one or another protocol a socket is closed for good', async () => {
    expect(await closeCode({})).toBe(4501);
    expect(await closeCode({ token: 'x' })).toBe(4501);
    expect(await closeCode({ token: await stack.token('ada'), protocol: '99' })).toBe(4504);
  });

  it('[AUTH-21] a version is named as a number or as a text', async () => {
    const token = await stack.token('ada');
    expect(await closeCode({ token, protocol: 99 })).toBe(4504);
    for (const protocol of [1, '1']) {
      const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/trpc?connectionParams=1`);
      await once(socket, 'open');
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token, protocol } }));
      socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'user.me' } }));
      const [answer] = await once(socket, 'message');
      expect(JSON.parse(String(answer))).toMatchObject({ id: 1, result: { data: { name: 'ada' } } });
      socket.close();
      await once(socket, 'close');
    }
  });

  it('[AUTH-11] with an expired token it is closed so that the client comes back', async () => {
    expect(await closeCode({ token: await stack.token('ada', {}, -60) })).toBe(4003);
  });

  it('[AUTH-12] who says nothing is closed', async () => {
    expect(await closeCode(null)).toBe(4004);
  }, 15_000);

  it('[AUTH-7] a socket whose token has ended is closed after a grace time, and comes back with a new one', async () => {
    const tokens = [await stack.token('short', {}, 1), await stack.token('short')];
    const token = async () => tokens.shift() ?? '';
    const chatter = await stack.user('short', { token });
    await chatter.trpc.user.me.query();
    await vi.waitFor(() => expect(chatter.closed).toContain(4003), 8_000);
    expect(await chatter.trpc.user.me.query()).toMatchObject({ name: 'short' });
    await chatter[Symbol.asyncDispose]();
  });

  it('[AUTH-8] session.refresh keeps it open; a token of another user does not', async () => {
    const chatter = await stack.user('keen', { token: await stack.token('keen', {}, 1) });
    const refresh = async (sub: string) => chatter.trpc.session.refresh.mutate({ token: await stack.token(sub) });
    expect(await failureOf(refresh('other'))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await refresh('keen')).expiresAt).toBeGreaterThan(Date.now() + 500_000);
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(await chatter.trpc.user.me.query()).toMatchObject({ name: 'keen' });
    expect(chatter.closed).toEqual([]);
    await chatter[Symbol.asyncDispose]();
  });

  it('[LIMIT-20] a user has as many connections as he may, and room again when one ends', async () => {
    const [one] = [await stack.user('many'), await stack.user('many')];
    expect(await closeCode({ token: await stack.token('many') })).toBe(4029);
    await one?.[Symbol.asyncDispose]();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const third = await stack.user('many');
    expect(await third.trpc.user.me.query()).toMatchObject({ name: 'many' });
  });

  it('[LIMIT-21] sends beyond the burst are refused with the time to wait', async () => {
    const chatter = await stack.user('loud');
    const { id } = await chatter.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    for (let i = 0; i < 3; i++) await chatter.trpc.message.send.mutate(text(id, `${i}`));
    const refused = await failureOf(chatter.trpc.message.send.mutate(text(id, 'too much')));
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
  });

  it('[LIMIT-22] a connection holds 128 feeds, not more', async () => {
    const chatter = await stack.user('wide');
    const { id } = await chatter.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    let opened = 0;
    const subscriptions = Array.from({ length: 128 }, () =>
      chatter.trpc.feed.channel.subscribe({ channelId: id }, { onData: () => opened++ }),
    );
    await vi.waitFor(() => expect(opened).toBe(128), 15_000);
    const one = () =>
      new Promise((resolve, reject) => {
        chatter.trpc.feed.channel.subscribe({ channelId: id }, { onData: resolve, onError: reject });
      });
    expect(await failureOf(one())).toMatchObject({ code: 'RATE_LIMITED' });
    subscriptions[0]?.unsubscribe();
    await vi.waitFor(async () => expect(await one()).toBeDefined());
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
});

describe('HTTP', () => {
  it('serves the same router with a Bearer token', async () => {
    const trpc = stack.http(await stack.token('webby'));
    expect(await trpc.user.me.query()).toMatchObject({ name: 'webby' });
    const { id } = await trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    expect(await trpc.message.send.mutate(text(id, 'by http'))).toMatchObject({ level: 'accepted' });
    expect(await trpc.session.refresh.mutate({ token: await stack.token('webby') })).toMatchObject({
      expiresAt: expect.any(Number),
    });
  });

  it('[AUTH-13] refuses who has no token, an expired one, another protocol, with the status that fits', async () => {
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${stack.url}/trpc/user.me`, { headers });
      const body = (await response.json()) as { error: { data: { parley: { code: string } } } };
      return [response.status, body.error.data.parley.code];
    };
    const good = await stack.token('ada');
    expect(await ask({})).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask({ authorization: 'Bearer x' })).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask({ authorization: good })).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask({ authorization: `Bearer ${await stack.token('ada', {}, -60)}` })).toEqual([401, 'TOKEN_EXPIRED']);
    expect(await ask({ authorization: `Bearer ${good}`, 'x-parley-protocol': '99' })).toEqual([400, 'PROTOCOL']);
  });

  it('[AUTH-14] what tRPC itself refuses has a code and no stack', async () => {
    const headers = { authorization: `Bearer ${await stack.token('ada')}`, 'content-type': 'application/json' };
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${stack.url}/trpc/${path}`, { headers, ...init });
      const text = await response.text();
      expect(text).not.toMatch(/stack|node_modules|\.ts:/);
      const body = JSON.parse(text);
      return [response.status, (Array.isArray(body) ? body[0] : body).error.data.parley.code];
    };
    expect(await ask('nothing.here')).toEqual([404, 'NOT_FOUND']);
    expect(await ask('constructor')).toEqual([404, 'NOT_FOUND']);
    expect(await ask('message.send', { method: 'POST', body: '{' })).toEqual([400, 'INVALID']);
    const big = JSON.stringify({ body: 'x'.repeat(100_000) });
    expect(await ask('message.send', { method: 'POST', body: big })).toEqual([413, 'TOO_LARGE']);
    const batch = Array(129).fill('user.me').join(',');
    expect((await ask(`${batch}?batch=1`))[1]).toBe('INVALID');
  });

  it('[LIMIT-23] calls are limited a user, those of a batch one by one', async () => {
    const authorization = `Bearer ${await stack.token('greedy')}`;
    const ask = async (calls: number) => {
      const path = Array(calls).fill('user.me').join(',');
      const response = await fetch(`${stack.url}/trpc/${path}?batch=1`, { headers: { authorization } });
      return response.status;
    };
    for (let i = 0; i < 8; i++) expect(await ask(120)).toBe(200);
    expect(await ask(60)).toBe(429);
  });
});

describe('the page', () => {
  it('[DOOR-20] runs its own code only, and keeps its assets', async () => {
    const page = await fetch(stack.url);
    expect(await page.text()).toContain('<title>page</title>');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const asset = await fetch(`${stack.url}/assets/app-1.js`);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/.env', '/nothing']) {
      expect((await fetch(stack.url + path)).status, path).toBe(404);
    }
    expect(await (await fetch(`${stack.url}/healthz`)).json()).toEqual({ ok: true });
  });

  it('answers a malformed request instead of dying of it', async () => {
    for (const request of [
      'GET // HTTP/1.1\r\nHost: a',
      'GET / HTTP/1.1\r\nHost: a:99999',
      'GET /%ff HTTP/1.1\r\nHost: a',
      'POST /trpc/ HTTP/1.1\r\nHost: [',
    ]) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(stack.port, '127.0.0.1', () => socket.write(`${request}\r\nConnection: close\r\n\r\n`));
        let seen = '';
        socket.on('data', (chunk) => {
          seen += chunk.toString();
        });
        socket.on('close', () => resolve(seen));
        socket.on('error', reject);
      });
      expect(answer, request).toMatch(/^HTTP\/1\.1 4\d\d/);
    }
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
  });
});

describe('POST /dev/token', () => {
  const ask = (init: RequestInit = {}, url = stack.url) =>
    fetch(`${url}/dev/token`, { method: 'POST', body: '{"name":"nora"}', ...init });

  it('[AUTH-15] gives a token on this machine; the user is there at once', async () => {
    const made = (await (await ask()).json()) as { token: string; userId: string };
    const again = (await (await ask()).json()) as { userId: string };
    expect(again.userId).toBe(made.userId);
    const ada = await stack.user('ada');
    expect(await ada.trpc.user.get.query({ userIds: [made.userId] })).toMatchObject([{ name: 'nora' }]);
    expect(await stack.http(made.token).user.me.query()).toMatchObject({ id: made.userId });
    for (const body of ['', '{', '{}', '{"name":""}', `{"name":"${'x'.repeat(2_000)}"}`]) {
      expect((await ask({ body })).status, body.slice(0, 20)).toBe(400);
    }
    expect((await fetch(`${stack.url}/dev/token`)).status).toBe(405);
  });

  it('[AUTH-16] and to nobody else: not through a proxy, not to a page of another site, not by another name', async () => {
    expect((await ask({ headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(404);
    expect((await ask({ headers: { forwarded: 'for=127.0.0.1' } })).status).toBe(404);
    expect((await ask({ headers: { origin: 'https://evil.example' } })).status).toBe(404);
    expect((await ask({ headers: { origin: 'http://localhost:5173' } })).status).toBe(200);
    const named = await new Promise<string>((resolve) => {
      const body = '{"name":"nora"}';
      const head = `POST /dev/token HTTP/1.1\r\nHost: evil.example\r\nContent-Length: ${body.length}\r\nConnection: close`;
      const socket = connect(stack.port, '127.0.0.1', () => socket.write(`${head}\r\n\r\n${body}`));
      socket.once('data', (chunk) => resolve(chunk.toString().slice(0, 12)));
    });
    expect(named).toBe('HTTP/1.1 404');
  });

  it('[AUTH-16] the control: the same request from this machine is answered', async () => {
    expect((await ask()).status).toBe(200);
  });

  it('[AUTH-17] does not exist without DEV_TOKENS, nor for other machines', async () => {
    await using plain = await startStack({ DEV_TOKENS: 'false' });
    expect((await ask({}, plain.url)).status).toBe(404);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((a) => a && !a.internal && a.family === 'IPv4');
    if (!own) return;
    await using open = await startStack({ HOST: '0.0.0.0' });
    const reached = await ask({}, `http://${own.address}:${open.port}`).catch(() => null);
    expect(reached === null || reached.status === 404).toBe(true);
  });
});
