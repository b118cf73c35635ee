import { join } from 'node:path';
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@parley/testing';
import { Supervised } from './supervised.ts';

interface Place {
  readonly dir: string;
  readonly say: (line: string) => void;
}

/** A server of this stack, or one that the environment names and that is not ours to keep. */
export interface Dependency {
  readonly url: string;
  readonly kept: Supervised | undefined;
}

/** Postgres with a database `parley`. */
export async function postgresFor(given: string | undefined, { dir, say }: Place): Promise<Dependency> {
  if (given) return named('Postgres', given, say);
  const { server, kept } = await keep('Postgres', say, () => startPostgres({ dir: join(dir, 'postgres') }));
  if (server.dir !== join(dir, 'postgres')) {
    say(
      `Postgres cannot run as root, and the user it runs as cannot enter this folder: its data lies in ${server.dir}`,
    );
  }
  const url = await server.createDatabase('parley').catch((error: unknown) => {
    if (!String(error).includes('already exists')) throw error;
    return Object.assign(new URL(server.url), { pathname: '/parley' }).toString();
  });
  return { url, kept };
}

/** The log store forgets nothing: it holds what users were told is safe. The cache store may forget everything. */
export async function redisFor(role: 'log' | 'cache', given: string | undefined, place: Place): Promise<Dependency> {
  const { dir, say } = place;
  const name = `Redis (${role} store)`;
  if (given) return named(name, given, say);
  const { server, kept } = await keep(name, say, () =>
    startRedis({ dir: join(dir, `redis-${role}`), policy: role === 'log' ? 'noeviction' : 'allkeys-lru', say }),
  );
  return { url: server.url, kept };
}

function named(name: string, url: string, say: (line: string) => void): Dependency {
  say(`${name}: the one of the environment`);
  return { url, kept: undefined };
}

/** Starts the server now, and again, on the same port and data, whenever it ends. */
async function keep<S extends RedisServer | PostgresServer>(
  name: string,
  say: (line: string) => void,
  first: () => Promise<S>,
): Promise<{ server: S; kept: Supervised }> {
  const began = Date.now();
  const server = await first();
  let started = true;
  const kept = new Supervised({
    name,
    say,
    start: async () => {
      if (!started) await server.restart();
      started = false;
      return { ended: server.ended, end: () => server.stop() };
    },
  });
  await kept.run();
  say(`${name} runs on port ${server.port} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  return { server, kept };
}
