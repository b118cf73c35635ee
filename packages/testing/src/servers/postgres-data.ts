import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type PostgresProgram, reachableDir } from './postgres-program.ts';

const run = promisify(execFile);
const PASSWORD_FILE = 'parley-password';

/** Where a server's data lies, and its superuser's password. */
interface PostgresData {
  readonly dir: string;
  readonly password: string;
}

/** Finds the data of an earlier life in the folder (a new temporary one when none is named), or makes it by initdb. */
export async function prepareData(wanted: string | undefined, program: PostgresProgram): Promise<PostgresData> {
  const dir = wanted === undefined ? join(tmpdir(), `parley-postgres-${randomBytes(6).toString('hex')}`) : wanted;
  const place = await reachableDir(dir, program.user);
  if (!existsSync(join(place, 'PG_VERSION'))) await initialise(place, program);
  return { dir: place, password: await readFile(join(place, PASSWORD_FILE), 'utf8') };
}

/** Works beside the place and renames at the end, so that a cut initdb is never taken for a whole one. */
async function initialise(dir: string, { native, user }: PostgresProgram): Promise<void> {
  await mkdir(dirname(dir), { recursive: true });
  const work = await mkdtemp(`${dir}.new-`);
  try {
    const password = randomBytes(16).toString('hex');
    const passwordFile = join(work, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user) for (const path of [work, passwordFile]) await chown(path, user.uid, user.gid);
    const data = join(work, 'data');
    const login = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    // Not plain C: pg_trgm and ILIKE would know no letters beyond ASCII.
    const words = ['--encoding=UTF8', `--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`];
    await run(join(native, 'bin/initdb'), [`--pgdata=${data}`, ...login, ...words, '--no-sync'], {
      cwd: work,
      ...user,
    });
    await rename(passwordFile, join(data, PASSWORD_FILE));
    await rename(data, dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
