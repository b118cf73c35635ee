import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const TAIL_BYTES = 8_192;

interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Runs as this user (only root can). */
  readonly user?: { uid: number; gid: number } | undefined;
  /** What the kernel sends to the server when this process dies in whatever way (Linux). */
  readonly whenOrphaned: 'TERM' | 'INT';
}

/** A server program that runs as a child of this process and, where the kernel can do that, never outlives it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #tail = '';
  /** Resolves when the program is gone, with the reason in words; never rejects. */
  readonly ended: Promise<string>;

  constructor(options: SpawnOptions) {
    this.#child = start(options);
    const keep = (chunk: Buffer) => {
      this.#tail = (this.#tail + chunk.toString()).slice(-TAIL_BYTES);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  get tail(): string {
    return this.#tail;
  }

  /** Sends the signal, and after `graceMs` SIGKILL; resolves when the program is gone. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    if (this.running) this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(late);
  }
}

function start({ command, args, env, cwd, user, whenOrphaned }: SpawnOptions): ChildProcess {
  const setpriv = process.platform === 'linux' ? onPath('setpriv') : undefined;
  const line = setpriv ? [setpriv, '--pdeathsig', whenOrphaned, '--', command, ...args] : [command, ...args];
  return spawn(line[0] ?? command, line.slice(1), {
    cwd,
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches only this process, which decides the order in which things end.
    detached: process.platform !== 'win32',
    ...user,
  });
}

/** The program's full path when `PATH` has it. */
export function onPath(program: string): string | undefined {
  const names = process.platform === 'win32' ? [`${program}.exe`] : [program];
  const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return places.flatMap((place) => names.map((name) => join(place, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
