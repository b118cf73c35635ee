import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range that the kernel gives to outgoing connections: a client that redials a dead server on a port of that
// range can meet itself (TCP simultaneous open), and any client can take the port between two lives of a server.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A TCP port that nobody listened on a moment ago; whoever uses it tries another one when it was taken meanwhile. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port found between ${LOWEST} and ${HIGHEST}.`);
}

/** True when this process could listen on 127.0.0.1 at the port just now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });
}
