import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const START_MS = 20_000;
const STOP_MS = 5_000;

/** One api as HAProxy sees it. */
export interface HaproxyBackend {
  readonly name: string;
  readonly port: number;
  /** Where its `/readyz` answers. */
  readonly opsPort: number;
}

interface BackendStanding {
  readonly up: boolean;
  /** Connections that it was given so far. */
  readonly sessions: number;
}

/** A real HAProxy on 127.0.0.1, a child of this process; disposing it ends it. */
export interface HaproxyServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, the one address of all backends. */
  readonly url: string;
  /** What it thinks of each backend, by name. */
  standings(): Promise<ReadonlyMap<string, BackendStanding>>;
  /** Resolves when the backend is, or is no longer, given connections; rejects after 20 s. */
  until(name: string, up: boolean): Promise<void>;
}

interface HaproxyOptions {
  /** The program's path. */
  readonly program: string;
  readonly backends: readonly HaproxyBackend[];
}

/** Starts an HAProxy that gives each connection to the next backend in turn, without stickiness; resolves when it listens. */
export async function startHaproxy(options: HaproxyOptions): Promise<HaproxyServer> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-haproxy-'));
  for (let tries = 1; ; tries++) {
    const server = new LocalHaproxy(options, { dir, port: await freePort() });
    try {
      await server.run();
      return server;
    } catch (error) {
      if (tries === 5 || !String(error).includes('cannot bind')) throw error;
    }
  }
}

class LocalHaproxy implements HaproxyServer {
  readonly url: string;
  readonly #options: HaproxyOptions;
  readonly #dir: string;
  readonly #port: number;
  #process: ServerProcess | undefined;

  constructor(options: HaproxyOptions, place: { dir: string; port: number }) {
    this.#options = options;
    this.#dir = place.dir;
    this.#port = place.port;
    this.url = `http://127.0.0.1:${place.port}`;
  }

  async run(): Promise<void> {
    const config = join(this.#dir, 'haproxy.cfg');
    await writeFile(config, await this.#config());
    const server = new ServerProcess({
      command: this.#options.program,
      args: ['-db', '-f', config],
      cwd: this.#dir,
      whenOrphaned: 'TERM',
    });
    this.#process = server;
    for (const deadline = Date.now() + START_MS; !(await this.#answers()); await sleep(20)) {
      if (server.running && Date.now() < deadline) continue;
      await server.end('SIGKILL', STOP_MS);
      throw new Error(`HAProxy did not start (${await server.ended}):\n${server.tail}`);
    }
  }

  async standings(): Promise<ReadonlyMap<string, BackendStanding>> {
    const [head = '', ...lines] = (await ask(this.#socket, 'show stat')).split('\n');
    const columns = head.replace('# ', '').split(',');
    const rows = lines.map((line) => line.split(','));
    const at = (row: string[], column: string) => row[columns.indexOf(column)] ?? '';
    return new Map(
      rows
        .filter((row) => at(row, 'pxname') === 'apis' && at(row, 'svname') !== 'BACKEND')
        .map((row) => [
          at(row, 'svname'),
          { up: at(row, 'status').startsWith('UP'), sessions: Number(at(row, 'stot')) },
        ]),
    );
  }

  async until(name: string, up: boolean): Promise<void> {
    for (const deadline = Date.now() + START_MS; (await this.standings()).get(name)?.up !== up; await sleep(20)) {
      if (Date.now() > deadline) throw new Error(`HAProxy never had ${name} ${up ? 'up' : 'down'}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.end('SIGTERM', STOP_MS);
    await rm(this.#dir, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#dir, 'stats.sock');
  }

  async #config(): Promise<string> {
    const template = await readFile(new URL('./haproxy.cfg', import.meta.url), 'utf8');
    const servers = this.#options.backends.map(
      ({ name, port, opsPort }) => `  server ${name} 127.0.0.1:${port} port ${opsPort}`,
    );
    return `${template
      .replace('@SOCKET@', this.#socket)
      .replace('@BIND@', `127.0.0.1:${this.#port}`)}${servers.join('\n')}\n`;
  }

  async #answers(): Promise<boolean> {
    return this.standings().then(
      () => true,
      () => false,
    );
  }
}

/** One command over the socket for operators. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: string[] = [];
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.on('data', (part) => parts.push(part.toString()));
    socket.once('end', () => resolve(parts.join('').trim()));
    socket.once('error', reject);
  });
}
