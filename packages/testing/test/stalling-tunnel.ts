import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to one port of this machine whose far end can stop taking what it is sent, as a phone in a tunnel does. */
export interface StallingTunnel extends AsyncDisposable {
  readonly url: string;
  /** From now on nothing comes back through it, though what goes in arrives; nobody gets in any more. */
  stall(): void;
}

export async function openTunnel(port: number): Promise<StallingTunnel> {
  const ends = new Set<Socket>();
  let isStalled = false;
  const server = createServer({ noDelay: true }, (client) => {
    if (isStalled) return void client.destroy();
    const inner = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const end of [client, inner]) {
      ends.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => ends.delete(end));
    }
    // A client that gives up in the tunnel is not missed at the other end.
    client.on('close', () => isStalled || inner.destroy());
    inner.on('close', () => client.destroy());
    client.pipe(inner, { end: false });
    inner.pipe(client);
    stalls.push(() => {
      inner.unpipe(client);
      inner.pause();
    });
  });
  const stalls: (() => void)[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stall: () => {
      isStalled = true;
      for (const stall of stalls) stall();
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
