import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { onPath, ServerProcess } from './server-process.ts';

const START_MS = 20_000;
const STOP_MS = 10_000;
const ANSWER_MS = 10_000;

/** A process whose metrics are read. */
export interface ScrapeTarget {
  readonly job: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Default: `/metrics`. */
  readonly path?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface PrometheusOptions {
  readonly targets: readonly ScrapeTarget[];
  /** Absolute paths of rule files. Default: none. */
  readonly rules?: readonly string[];
  /** How often targets are read and rules are evaluated. Default: once a second. */
  readonly everyMs?: number;
  /** Where the program is. Default: looked for on PATH. */
  readonly program?: string;
}

/** One series of an answer: its labels, `__name__` among them, and its value at the time asked about. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus on 127.0.0.1, a child of this process; disposing it ends it and removes what it kept. */
export interface PrometheusServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The instant value of an expression of PromQL; rejects when Prometheus refuses it. */
  query(expression: string): Promise<Sample[]>;
  /** What an endpoint of its HTTP API answers as `data`, such as `/api/v1/alerts`. */
  ask(path: string): Promise<unknown>;
  /** Reads these targets from now on, and returns when it does. */
  retarget(targets: readonly ScrapeTarget[]): Promise<void>;
}

/** Starts a Prometheus and resolves when it answers; rejects with its last output when it does not. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const command = options.program ?? onPath('prometheus');
  if (command === undefined) throw new Error('prometheus is not installed: apt-get install prometheus');
  const dir = await mkdtemp(join(tmpdir(), 'parley-prometheus-'));
  for (let tries = 1; ; tries++) {
    const server = new LocalPrometheus(command, { dir, port: await freePort() }, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Somebody may have taken the free port between the look and the start.
      if (tries < 5 && String(error).includes('address already in use')) continue;
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }
}

class LocalPrometheus implements PrometheusServer {
  readonly url: string;
  readonly #command: string;
  readonly #dir: string;
  readonly #port: number;
  readonly #options: PrometheusOptions;
  #process: ServerProcess | undefined;

  constructor(command: string, place: { dir: string; port: number }, options: PrometheusOptions) {
    this.#command = command;
    this.#dir = place.dir;
    this.#port = place.port;
    this.#options = options;
    this.url = `http://127.0.0.1:${place.port}`;
  }

  async start(): Promise<void> {
    await this.#configure(this.#options.targets);
    const server = new ServerProcess({
      command: this.#command,
      args: [
        `--config.file=${this.#config}`,
        `--storage.tsdb.path=${join(this.#dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
        '--web.enable-lifecycle',
        '--log.level=warn',
      ],
      cwd: this.#dir,
      whenOrphaned: 'TERM',
    });
    this.#process = server;
    for (const deadline = Date.now() + START_MS; !(await this.#isReady()); ) {
      if (server.running && Date.now() < deadline) await sleep(50);
      else {
        await server.end('SIGKILL', STOP_MS);
        throw new Error(`Prometheus on port ${this.#port} did not start (${await server.ended}):\n${server.tail}`);
      }
    }
  }

  async query(expression: string): Promise<Sample[]> {
    const answer = await this.ask(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { resultType, result } = answer as { resultType: string; result: unknown };
    if (resultType === 'scalar') return [{ labels: {}, value: Number((result as [number, string])[1]) }];
    if (resultType !== 'vector') throw new Error(`${expression} is a ${resultType}, not a vector`);
    const series = result as { metric: Record<string, string>; value: [at: number, value: string] }[];
    return series.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  async ask(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const answer = (await response.json()) as { status: string; data?: unknown; error?: string };
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${path}: ${answer.error}`);
    return answer.data;
  }

  async retarget(targets: readonly ScrapeTarget[]): Promise<void> {
    await this.#configure(targets);
    const response = await fetch(`${this.url}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(`Prometheus does not reload: ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.end('SIGTERM', STOP_MS);
    await rm(this.#dir, { recursive: true, force: true });
  }

  get #config(): string {
    // JSON is YAML.
    return join(this.#dir, 'prometheus.json');
  }

  async #configure(targets: readonly ScrapeTarget[]): Promise<void> {
    const { rules = [], everyMs = 1_000 } = this.#options;
    const every = `${everyMs}ms`;
    const config = {
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
      rule_files: rules,
      scrape_configs: [...Map.groupBy(targets, ({ job, path = '/metrics' }) => `${job} ${path}`)].map(([key, ones]) => {
        const [job = '', path = ''] = key.split(' ');
        const statics = ones.map(({ port, labels = {} }) => ({ targets: [`127.0.0.1:${port}`], labels }));
        return { job_name: job, metrics_path: path, static_configs: statics };
      }),
    };
    await writeFile(this.#config, JSON.stringify(config));
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
    } catch {
      // Nobody listens yet.
      return false;
    }
  }
}
