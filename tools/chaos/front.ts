import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** One address in front of a port of this machine, which may change; between the two anything may happen to what passes. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** From now on connections go to this port; those that are open are cut, as by a fail-over. Says how many. */
  turnTo(port: number): number;
  /** Carries nothing in either direction, though all connections stay open and new ones are taken, until the result is called: it says what waited. */
  swallow(): () => number;
}

interface Pair {
  readonly ends: readonly [client: Socket, inner: Socket];
}

export async function openFront(target: number): Promise<Front> {
  const pairs = new Set<Pair>();
  let [to, isHole] = [target, false];
  const server = createServer({ noDelay: true }, (client) => {
    const inner = connect({ port: to, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { ends: [client, inner] };
    pairs.add(pair);
    for (const end of pair.ends) {
      end.on('error', () => end.destroy());
      end.on('close', () => {
        // In a hole nobody hears that the other side has hung up.
        if (isHole) return;
        pairs.delete(pair);
        for (const each of pair.ends) each.destroy();
      });
    }
    if (!isHole) join(pair);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    port: address.port,
    turnTo: (port) => {
      to = port;
      const open = [...pairs];
      for (const { ends } of open) for (const end of ends) end.destroy();
      return open.length;
    },
    swallow: () => {
      isHole = true;
      for (const pair of pairs) part(pair);
      return () => {
        isHole = false;
        const waiting = [...pairs].filter(({ ends }) => ends.some((end) => end.readableLength > 0)).length;
        for (const pair of pairs) if (!join(pair)) pairs.delete(pair);
        return waiting;
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const { ends } of pairs) for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** False: one end is gone, and so is the other by now. */
function join({ ends: [client, inner] }: Pair): boolean {
  const isWhole = !client.destroyed && !inner.destroyed;
  if (isWhole) client.pipe(inner).pipe(client);
  else for (const end of [client, inner]) end.destroy();
  return isWhole;
}

function part({ ends }: Pair): void {
  for (const end of ends) {
    end.unpipe();
    end.pause();
  }
}
