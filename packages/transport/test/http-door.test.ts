import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { expect, test } from 'vitest';
import { createPublicServer } from '../src/index.ts';
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

test('[FILE-37] a request that may be slow has its own time; every other one is cut off at the usual time', async () => {
  const server = createPublicServer(
    (request, response) => {
      request.on('error', () => undefined);
      request.on('end', () => response.end('whole')).resume();
    },
    { requestWithinMs: 200, slow: { isSlow: ({ url }) => url === '/slow', withinMs: 60_000 } },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const half = (path: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na`);
    return socket;
  };
  const [slow, fast] = [half('/slow'), half('/fast')];
  await once(fast.resume(), 'close');
  slow.write('b');
  const [answer] = await once(slow, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
  slow.destroy();
  server.close();
});
