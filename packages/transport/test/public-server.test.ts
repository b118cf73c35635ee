import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { createPublicServer } from '../src/index.ts';

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
