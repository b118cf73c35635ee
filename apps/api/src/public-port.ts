import type { Server } from 'node:http';
import type { Service } from '@parley/runtime';
import type { SocketDoor } from '@parley/transport';

interface PublicPortOptions {
  readonly server: Server;
  readonly door: SocketDoor;
  readonly listen: { readonly port: number; readonly host: string; readonly reusePort: boolean };
}

/** Where users come in: one HTTP server with its sockets. Stopping asks everybody to come in elsewhere first. */
export function createPublicPort({ server, door, listen }: PublicPortOptions): Service {
  return {
    name: 'public port',
    run: () => {
      door.run();
      return new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(listen, () => {
          server.off('error', reject);
          resolve();
        });
      });
    },
    stop: async () => {
      await door.stop();
      server.closeAllConnections();
    },
  };
}
