import { chown, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from '../src/servers/postgres-server.ts';

/** The data of a server as it is now, as a file-level backup has it. */
export interface PostgresCopy extends AsyncDisposable {
  /**
   * Puts it back and starts the server on it. `recovered`: by recovery, as from an archive, which begins a new timeline; else as it
   * lies there, with the identity of the one that it replaces.
   */
  restore(how: 'recovered' | 'as it lies there'): Promise<void>;
}

/** Stops the server for the time of the copy. */
export async function copyOf(server: PostgresServer): Promise<PostgresCopy> {
  const home = await mkdtemp(join(tmpdir(), 'parley-copy-'));
  await server.stop();
  await copyFolder(server.dir, join(home, 'data'));
  await server.restart();
  return {
    restore: async (how) => {
      await server.stop();
      for (const name of await readdir(server.dir)) await rm(join(server.dir, name), { recursive: true });
      await copyFolder(join(home, 'data'), server.dir);
      if (how === 'recovered') await recover(server.dir);
      await server.restart();
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

/** With owners and modes: Postgres starts on nothing else. */
async function copyFolder(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, preserveTimestamps: true });
  const { uid, gid, mode } = await stat(from);
  if (process.getuid?.() === 0) {
    for (const name of await readdir(to, { recursive: true })) await chown(join(to, name), uid, gid);
    await chown(to, uid, gid);
  }
  if ((mode & 0o777) !== ((await stat(to)).mode & 0o777)) throw new Error(`the copy of ${from} has another mode`);
}

/** There is no archive to go on from: it ends at once, on a timeline of its own. Nobody is let in before. */
async function recover(dir: string): Promise<void> {
  const { uid, gid } = await stat(dir);
  await writeFile(join(dir, 'recovery.signal'), '');
  await chown(join(dir, 'recovery.signal'), uid, gid);
  await writeFile(join(dir, 'postgresql.auto.conf'), `restore_command = 'false'\nhot_standby = off\n`);
}
