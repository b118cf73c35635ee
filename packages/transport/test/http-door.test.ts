import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { expect, test } from 'vitest';
import { openDoor, type Router, rawRequest } from './door.ts';

test('[DOOR-15] the same router answers over HTTP, and internal texts stay inside there too', async () => {
  await using open = await openDoor();
  const url = `http://127.0.0.1:${open.port}/trpc`;
  const client = createTRPCClient<Router>({ links: [httpBatchLink({ url })] });
  expect(await Promise.all([client.ping.query(), client.whoAmI.query()])).toEqual(['pong', 'nobody']);
  const failed = await fetch(`${url}/fail`);
  expect(failed.status).toBe(500);
  expect(await failed.text()).not.toMatch(/hunter2|\.ts/);
  expect((await fetch(`${url}/no/such`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${open.port}/other`)).status).toBe(404);
});

test('[DOOR-15] a batch or a body above its cap is refused', async () => {
  await using open = await openDoor();
  const url = `http://127.0.0.1:${open.port}/trpc`;
  const batch = await fetch(`${url}/${Array(6).fill('ping').join()}?batch=1`);
  expect(await batch.text()).toMatch(/exceeds maximum/);
  expect((await fetch(`${url}/${Array(5).fill('ping').join()}?batch=1`)).status).toBe(200);
  const body = await fetch(`${url}/ping`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify('x'.repeat(20_000)),
  });
  expect(body.status).toBeGreaterThanOrEqual(400);
});

test('[DOOR-15] a malformed Host is 400, and a head that never ends is cut off', async () => {
  await using open = await openDoor();
  expect(await rawRequest(open.port, ['GET /trpc/ping HTTP/1.1', 'Host: ['])).toMatch(/^HTTP\/1\.1 400 /);
  expect(open.server.headersTimeout).toBe(5_000);
  expect(open.server.requestTimeout).toBe(10_000);
  const big = await rawRequest(open.port, ['GET /trpc/ping HTTP/1.1', 'Host: x', `X-Big: ${'x'.repeat(20_000)}`]);
  expect(big).toMatch(/^HTTP\/1\.1 431 /);
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** What comes over the wire, with nothing undone. */
function ask(
  port: number,
  path: string,
  over: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, ...over }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
      });
    });
    asked.on('error', reject).end();
  });
}

test('[DOOR-45] answers above 1,024 bytes are compressed for those who take it, and are the same to them', async () => {
  await using open = await openDoor();
  const get = (headers: Record<string, string>, path = '/trpc/big') => ask(open.port, path, { headers });
  const plain = await get({});
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.headers.vary).toContain('accept-encoding');
  for (const [accepted, encoding, undo] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip;q=0.5, br;q=0', 'gzip', gunzipSync],
  ] as const) {
    const packed = await get({ 'accept-encoding': accepted });
    expect(packed.headers['content-encoding']).toBe(encoding);
    expect(packed.headers.vary).toContain('accept-encoding');
    expect(packed.headers['content-length']).toBe(String(packed.body.byteLength));
    expect(packed.body.byteLength).toBeLessThan(0.7 * plain.body.byteLength);
    expect(undo(packed.body).equals(plain.body)).toBe(true);
  }
  const small = await get({ 'accept-encoding': 'br' }, '/trpc/ping');
  expect(small.headers['content-encoding']).toBeUndefined();
  expect(String(small.body)).toContain('pong');
});

test('[DOOR-46] nothing is compressed for who says so, nor where it is switched off', async () => {
  await using open = await openDoor();
  const headers = { 'accept-encoding': 'gzip, br', 'x-no-compression': '1' };
  expect((await ask(open.port, '/trpc/big', { headers })).headers['content-encoding']).toBeUndefined();
  await using off = await openDoor({ http: { compression: false } });
  const plain = await ask(off.port, '/trpc/big', { headers: { 'accept-encoding': 'gzip, br' } });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.headers.vary).not.toContain('accept-encoding');
});

test('[DOOR-47] an allowed origin is told what it may ask, and gets its answers', async () => {
  const [page, allowedHeaders] = ['https://chat.example.com', ['authorization', 'x-own']];
  await using open = await openDoor({ http: { origins: [page], allowedHeaders } });
  const preflight = await ask(open.port, '/trpc/ping', {
    method: 'OPTIONS',
    headers: { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-own' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': page,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, x-own',
    vary: 'origin',
  });
  const answer = await ask(open.port, '/trpc/ping', { headers: { origin: page } });
  expect(answer.status).toBe(200);
  expect(answer.headers['access-control-allow-origin']).toBe(page);
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  expect(answer.headers.vary).toMatch(/^origin, /);
  expect(answer.headers['cache-control']).toBe('no-store');
  // An error is an answer, too: a page must be able to read it.
  const failed = await ask(open.port, '/trpc/fail', { headers: { origin: page } });
  expect([failed.status, failed.headers['access-control-allow-origin']]).toEqual([500, page]);
});

test('[DOOR-48] a foreign origin gets 403 and no header, whatever it looks like', async () => {
  await using open = await openDoor({ http: { origins: ['https://chat.example.com'] } });
  for (const origin of [
    'https://evil.example',
    'https://chat.example.com.evil.example',
    'http://chat.example.com',
    'https://chat.example.com:444',
    'HTTPS://CHAT.EXAMPLE.COM',
    'null',
    '*',
  ]) {
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await ask(open.port, '/trpc/ping', { method, headers: { origin } });
      expect(answer.status, origin).toBe(403);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(answer.headers.vary).toBe('origin');
    }
  }
});

test('[DOOR-48] the own host and who is no browser are let in without a list', async () => {
  await using open = await openDoor();
  const host = `localhost:${open.port}`;
  expect((await ask(open.port, '/trpc/ping', { headers: { host, origin: `http://${host}` } })).status).toBe(200);
  const none = await ask(open.port, '/trpc/ping');
  expect([none.status, none.headers['access-control-allow-origin']]).toEqual([200, undefined]);
});
