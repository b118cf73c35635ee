import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, isFree } from '../src/servers/free-port.ts';

const run = promisify(execFile);

/** What a user's shell has; this run's own settings, npm's and vitest's are none of it. */
const OF_A_SHELL = /^(HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|\w+_proxy)$/i;

/** The PATH of a user who has installed Node and npm, and nothing of this workspace. */
const SYSTEM_PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((place) => !place.includes('node_modules'))
  .join(delimiter);

/** A process that lives, with its program and command line. */
interface Living {
  readonly pid: number;
  /** The program's file. */
  readonly program: string;
  readonly args: string;
  readonly cwd: string;
}

/** Somebody's first minutes with Parley: a clone of what is committed, in a folder of its own, and a shell with the system's Node. */
export class FreshClone implements AsyncDisposable {
  readonly dir: string;
  readonly #home: string;
  readonly #runs: NpmRun[] = [];

  constructor(home: string) {
    this.#home = home;
    this.dir = join(home, 'a clone');
  }

  /** Runs npm in the clone as a shell does: in a process group of its own, which Ctrl-C reaches as a whole. */
  npm(args: readonly string[], env: Record<string, string> = {}): NpmRun {
    const given = Object.entries(process.env).filter(([name]) => OF_A_SHELL.test(name));
    const child = spawn('npm', args, {
      cwd: this.dir,
      env: { ...Object.fromEntries(given), PATH: SYSTEM_PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const npm = new NpmRun(child);
    this.#runs.push(npm);
    return npm;
  }

  /** Every process that works in the clone or runs a program of it. */
  processes(): Living[] {
    const pids = readdirSync('/proc').map(Number).filter(Boolean);
    return pids.flatMap(living).filter(({ args, cwd }) => args.includes(this.dir) || cwd.startsWith(this.dir));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const npm of this.#runs) await npm.interrupt().catch(() => undefined);
    for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL');
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Clones the workspace that this test belongs to. */
export async function freshClone(): Promise<FreshClone> {
  const { stdout } = await run('git', ['rev-parse', '--show-toplevel'], { cwd: import.meta.dirname });
  const home = await mkdtemp(join(tmpdir(), 'parley-clone-'));
  await chmod(home, 0o755); // Under root Postgres runs as another user, who must be able to enter.
  const clone = new FreshClone(home);
  await run('git', ['clone', '--quiet', stdout.trim(), clone.dir]);
  return clone;
}

/** One `npm …`, with what it prints. */
export class NpmRun {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.#output += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.#ended = once(child, 'close').then(([code, signal]) => (signal ? 130 : Number(code)));
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when the text was printed; rejects with all that was when it ends first, or the time is over. */
  async says(text: string, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!this.#output.includes(text)) {
      const over = this.#child.exitCode !== null || this.#child.signalCode !== null || Date.now() > deadline;
      if (over && !this.#output.includes(text)) throw new Error(`npm did not say "${text}":\n${this.#output}`);
      await sleep(50);
    }
  }

  /** The exit code, when it ends by itself in that time. */
  async ends(withinMs: number): Promise<number> {
    const late = new AbortController();
    const tooLate = sleep(withinMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`npm still runs after ${withinMs} ms:\n${this.#output}`);
    });
    try {
      return await Promise.race([this.#ended, tooLate]);
    } finally {
      tooLate.catch(() => undefined);
      late.abort();
    }
  }

  /** Ctrl-C, once. */
  async interrupt(withinMs = 15_000): Promise<number> {
    if (this.#child.pid && this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(-this.#child.pid, 'SIGINT');
    }
    return this.ends(withinMs);
  }
}

/** A port for a stack: the one after it, where its ops port goes, is free too. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 1)) return port;
  }
}

/** Where the shell of a fresh clone finds Node, and which one it is. */
export async function systemNode(): Promise<{ program: string; version: string }> {
  const asked = ['-p', 'process.execPath + " " + process.versions.node'];
  const { stdout } = await run('node', asked, { env: { PATH: SYSTEM_PATH } });
  const [program = '', version = ''] = stdout.trim().split(/ (?=[\d.]+$)/);
  return { program, version };
}

/** Nothing when it has ended meanwhile, or only waits for its parent to ask how. */
function living(pid: number): Living[] {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const isZombie = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.startsWith('Z') ?? true;
    const link = (name: string) => readlinkSync(`/proc/${pid}/${name}`);
    return isZombie ? [] : [{ pid, args, program: link('exe'), cwd: link('cwd') }];
  } catch {
    return [];
  }
}
