import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, isFree } from './free-port.ts';
import { endLeftBehind } from './left-behind.ts';
import { answers, databaseUrl, query } from './one-query.ts';
import { prepareData } from './postgres-data.ts';
import { findPostgres, type PostgresProgram } from './postgres-program.ts';
import { ServerProcess } from './server-process.ts';

// A start after SIGKILL replays the write-ahead log, and waits for the old life's children to let go of its memory.
const START_MS = 60_000;
const STOP_MS = 20_000;

/** A real Postgres on 127.0.0.1, a child of this process; disposing it ends it and removes a folder that it made for itself. */
export interface PostgresServer extends AsyncDisposable {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  readonly port: number;
  /** Of the present life; 0 when it does not run. */
  readonly pid: number;
  readonly dir: string;
  readonly running: boolean;
  /** Resolves when the present life is over, with the reason in words. */
  readonly ended: Promise<string>;
  /** SIGKILL of the whole server at once, like a power cut that spares the disk's cache. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, ending it first when it still runs. */
  restart(): Promise<void>;
  /** Ends it orderly and fast: open transactions are rolled back. */
  stop(): Promise<void>;
  /** The URL of a new database, a copy of the template when one is named (nobody may be connected to that then). */
  createDatabase(name?: string, template?: string): Promise<string>;
}

interface PostgresOptions {
  /** Where its data lies; a given folder outlives the server. Default: a new temporary one. */
  readonly dir?: string;
  readonly port?: number;
  /** Further settings of the server, by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a Postgres and resolves when it answers; rejects with its last output when it does not. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const program = await findPostgres();
  const { dir, password } = await prepareData(options.dir, program);
  await endLeftBehind({ dir, pidFile: join(dir, 'postmaster.pid'), signal: 'SIGINT' });
  for (let tries = 1; ; tries++) {
    const server = new LocalPostgres(program, options, { dir, password, port: options.port ?? (await freePort()) });
    try {
      await server.restart();
      return server;
    } catch (error) {
      // Somebody may have taken the free port between the look and the start.
      if (options.port !== undefined || tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

class LocalPostgres implements PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly #program: PostgresProgram;
  readonly #options: PostgresOptions;
  #process: ServerProcess | undefined;

  constructor(program: PostgresProgram, options: PostgresOptions, at: { dir: string; port: number; password: string }) {
    this.#program = program;
    this.#options = options;
    this.dir = at.dir;
    this.port = at.port;
    this.url = `postgres://postgres:${at.password}@127.0.0.1:${at.port}/postgres`;
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

  async kill(): Promise<void> {
    const server = this.#process;
    if (!server?.running) return;
    const children = await childrenOf(server.pid);
    await server.end('SIGKILL', STOP_MS);
    // They end by themselves when they notice, but until then a busy one could still commit.
    for (const child of children) killIfThere(child);
  }

  async stop(): Promise<void> {
    await this.#process?.end('SIGINT', STOP_MS);
  }

  async restart(): Promise<void> {
    await this.stop();
    if (!(await isFree(this.port))) throw new Error(`Port ${this.port} is taken (Address already in use).`);
    const deadline = Date.now() + START_MS;
    for (;;) {
      const server = this.#spawn();
      this.#process = server;
      while (server.running && Date.now() < deadline && !(await answers(this.url))) await sleep(20);
      if (server.running && Date.now() < deadline) return;
      await server.end('SIGKILL', STOP_MS);
      const dyingChildren = server.tail.includes('still in use');
      if (!dyingChildren || Date.now() > deadline) {
        throw new Error(`Postgres on port ${this.port} did not start (${await server.ended}):\n${server.tail}`);
      }
      await sleep(50);
    }
  }

  async createDatabase(name = `d${randomBytes(6).toString('hex')}`, template = 'template0'): Promise<string> {
    const sql = `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${pg.escapeIdentifier(template)}`;
    await query(this.url, sql);
    return databaseUrl(this.url, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Data that nobody will read again needs no last checkpoint.
    if (this.#options.dir === undefined) {
      await this.kill();
      await rm(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    } else await this.stop();
  }

  #spawn(): ServerProcess {
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      shared_preload_libraries: 'pg_stat_statements',
      max_connections: '200',
      ...this.#options.settings,
    };
    return new ServerProcess({
      command: join(this.#program.native, 'bin/postgres'),
      args: ['-D', this.dir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      cwd: this.dir,
      user: this.#program.user,
      whenOrphaned: 'INT', // Fast shutdown; TERM would wait for the clients.
    });
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
