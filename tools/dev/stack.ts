import { join } from 'node:path';
import { startApp } from './app-life.ts';
import { childLog } from './child-log.ts';
import { seedDemo } from './demo.ts';
import { Leftovers } from './leftovers.ts';
import { checkPort } from './port-check.ts';
import { runNode } from './run-node.ts';
import { postgresFor, redisFor } from './servers.ts';
import { claimStackDir, type StackDir } from './stack-dir.ts';
import { filesOf, type StackEnv, secretOf, writeStackEnv } from './stack-env.ts';
import { Supervised } from './supervised.ts';
import { buildWebPage } from './web-page.ts';

interface StackOptions {
  readonly root: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Everything that `npm start` runs, from the first folder to the last drain. */
export class Stack {
  readonly #options: StackOptions;
  /** In the order of their starts. */
  readonly #parts: Supervised[] = [];
  #dir: StackDir | undefined;
  #starting: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: StackOptions) {
    this.#options = options;
  }

  /** Resolves when users can come; rejects when something cannot be started, with the rest still to be stopped. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  /** The api first, then the worker, which persists what the api took, then what both stand on. Returns what did not end well. */
  async stop(): Promise<unknown[]> {
    this.#stopping = true;
    await this.#starting.catch(() => undefined); // Whoever called start() hears of it.
    const problems: unknown[] = [];
    for (const part of this.#parts.reverse()) await part.stop().catch((error: unknown) => problems.push(error));
    this.#dir?.release();
    return problems;
  }

  async #start(): Promise<void> {
    const { root, port, env, say } = this.#options;
    const dir = claimStackDir({ home: join(root, '.data'), port, say });
    this.#dir = dir;
    const leftovers = new Leftovers(dir.path);
    await leftovers.end(say);
    await checkPort(port, env.HOST);
    const [servers, page] = await Promise.allSettled([this.#startServers(dir.path), buildWebPage(root, say)]);
    if (servers.status === 'rejected') throw servers.reason;
    if (page.status === 'rejected') throw page.reason;
    if (this.#stopping) return;
    const stackEnv = servers.value;
    writeStackEnv(dir.path, stackEnv);
    const all = { ...env, ...stackEnv };
    say('bringing the database to the schema of this version …');
    await runNode(['--conditions=@parley/source', 'apps/worker/src/migrate.ts'], { cwd: root, env: all });
    await this.#startApps(dir.path, all, leftovers);
    if (this.#stopping || stackEnv.DEV_TOKENS !== 'true') return;
    await seedDemo(`http://127.0.0.1:${port}`).catch((error: unknown) => say(`no demo users: ${String(error)}`));
  }

  async #startServers(dir: string): Promise<StackEnv> {
    const { env, say } = this.#options;
    const place = { dir, say };
    const log = await redisFor('log', env.REDIS_LOG_URL, place);
    if (log.kept) this.#parts.push(log.kept);
    const cache = await redisFor('cache', env.REDIS_CACHE_URL, place);
    if (cache.kept) this.#parts.push(cache.kept);
    const postgres = await postgresFor(env.DATABASE_URL, place);
    if (postgres.kept) this.#parts.push(postgres.kept);
    return {
      DATABASE_URL: postgres.url,
      REDIS_LOG_URL: log.url,
      REDIS_CACHE_URL: cache.url,
      ...secretOf(dir, env),
      ...filesOf(dir, env),
    };
  }

  async #startApps(dir: string, stackEnv: NodeJS.ProcessEnv, leftovers: Leftovers): Promise<void> {
    const { root, port, say } = this.#options;
    const env = { LOG_LEVEL: 'warn', DRAIN_WINDOW_MS: '500', ...stackEnv, PORT: String(port) };
    // Workers before apis: whoever accepts finds somebody who persists.
    for (const [name, ready] of [['worker', 'working on'] as const, ['api', 'listening on'] as const]) {
      if (this.#stopping) return;
      const log = childLog(dir, name, say);
      const app = { name, ready, env, say: log, entry: join(root, `apps/${name}/src/main.ts`) };
      const onPid = (pid: number) => leftovers.note(name, pid);
      const part = new Supervised({ name, say, start: () => startApp({ ...app, onPid }) });
      await part.run();
      this.#parts.push(part);
      say(`${name} runs`);
    }
  }
}
