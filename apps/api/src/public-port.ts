import type { Server } from 'node:http';
import type { Service } from '@parley/runtime';
import type { DrainOptions, HttpDoor, SocketDoor } from '@parley/transport';

interface PublicPortOptions {
  readonly server: Server;
  readonly door: SocketDoor;
  readonly http: Pick<HttpDoor, 'drain'>;
  readonly drain: DrainOptions;
  readonly listen: { readonly port: number; readonly host: string; readonly reusePort: boolean };
}

/** Where users come in: one HTTP server with its sockets. Stopping asks everybody to come in elsewhere first. */
export function createPublicPort({ server, door, http, drain, listen }: PublicPortOptions): Service {
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
      await Promise.all([door.drain(drain), http.drain(drain)]);
      server.closeAllConnections();
    },
  };
}
