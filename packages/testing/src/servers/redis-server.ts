import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATA_DIR } from './data-dir.ts';
import { freePort } from './free-port.ts';
import { endLeftBehind } from './left-behind.ts';
import { findRedis, type RedisProgram } from './redis-program.ts';
import { ServerProcess } from './server-process.ts';

const START_MS = 20_000;
const STOP_MS = 10_000;

/** A real Redis on 127.0.0.1, a child of this process; disposing it ends it and removes a folder that it made for itself. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of the present life; 0 when it does not run. */
  readonly pid: number;
  readonly dir: string;
  readonly running: boolean;
  /** Resolves when the present life is over, with the reason in words. */
  readonly ended: Promise<string>;
  /** Sends the signal, SIGKILL when none is given, and resolves when the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder, ending it first when it still runs. */
  restart(): Promise<void>;
  /** Ends it orderly. */
  stop(): Promise<void>;
}

interface RedisOptions {
  /** When the append-only file is flushed to disk. Default: `always` for noeviction, `no` (nothing is kept) for allkeys-lru. */
  readonly appendonly?: 'always' | 'everysec' | 'no';
  /** Where its data lies; a given folder outlives the server. Default: a new temporary one. */
  readonly dir?: string;
  readonly port?: number;
  /** Default: noeviction. */
  readonly policy?: 'noeviction' | 'allkeys-lru';
  /** As Redis writes it, `256mb`. Default: no limit for noeviction, 256mb for allkeys-lru. */
  readonly maxmemory?: string;
  /** Hears what takes long (a download). Default: nobody. */
  readonly say?: (line: string) => void;
}

/** Starts a Redis and resolves when it answers; rejects with its last output when it does not. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = await findRedis(DATA_DIR, options.say ?? (() => undefined));
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'parley-redis-')));
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await endLeftBehind({ dir, pidFile: join(dir, 'redis.pid'), signal: 'SIGTERM' });
  for (let tries = 1; ; tries++) {
    const server = new LocalRedis(program, options, { dir, port: options.port ?? (await freePort()) });
    try {
      await server.restart();
      return server;
    } catch (error) {
      // Somebody may have taken the free port between the look and the start.
      if (options.port !== undefined || tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

class LocalRedis implements RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly #program: RedisProgram;
  readonly #options: RedisOptions;
  #process: ServerProcess | undefined;

  constructor(program: RedisProgram, options: RedisOptions, place: { dir: string; port: number }) {
    this.#program = program;
    this.#options = options;
    this.dir = place.dir;
    this.port = place.port;
    this.url = `redis://127.0.0.1:${place.port}`;
  }

  get pid(): number {
    return this.running ? (this.#process?.pid ?? 0) : 0;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  get ended(): Promise<string> {
    return this.#process?.ended ?? Promise.resolve('never started');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.end(signal, STOP_MS);
  }

  stop(): Promise<void> {
    return this.kill('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.stop();
    if (await answers(this.port))
      throw new Error(`Port ${this.port} is taken by another Redis (Address already in use).`);
    const server = new ServerProcess({
      command: this.#program.command,
      args: this.#args(),
      env: this.#program.env,
      cwd: this.dir,
      whenOrphaned: 'TERM',
    });
    this.#process = server;
    for (const deadline = Date.now() + START_MS; !(await answers(this.port)); ) {
      if (server.running && Date.now() < deadline) await sleep(20);
      else {
        await this.kill();
        throw new Error(`Redis on port ${this.port} did not start (${await server.ended}):\n${server.tail}`);
      }
    }
    if (!server.running) throw new Error(`Redis on port ${this.port} did not start:\n${server.tail}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#options.dir === undefined) await rm(this.dir, { recursive: true, force: true });
  }

  #args(): string[] {
    const { policy = 'noeviction' } = this.#options;
    const lru = policy === 'allkeys-lru';
    const { appendonly = lru ? 'no' : 'always', maxmemory = lru ? '256mb' : '0' } = this.#options;
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.dir,
      pidfile: join(this.dir, 'redis.pid'),
      save: '',
      appendonly: appendonly === 'no' ? 'no' : 'yes',
      appendfsync: appendonly,
      'maxmemory-policy': policy,
      maxmemory,
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }
}

/** True once the server has loaded its data: while it loads, PING is answered with an error. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 }, () => socket.write('PING\r\n'));
    const done = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('data', (line) => done(line.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
    socket.once('close', () => done(false));
  });
}
