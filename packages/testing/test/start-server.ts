// A process that owns a server: `node start-server.ts redis|postgres FOLDER` prints the server's pid and waits.
import { startPostgres } from '../src/servers/postgres-server.ts';
import { startRedis } from '../src/servers/redis-server.ts';

const [, , kind, dir = ''] = process.argv;
const server = await (kind === 'redis' ? startRedis({ dir }) : startPostgres({ dir }));
console.log(server.pid);
setInterval(() => undefined, 1_000);
