import { backoffMs } from '../backoff.ts';
import type { Log } from '../log.ts';
import { type MetricSnapshot, type Metrics, mergeMetrics, mergeSnapshots } from '../metrics.ts';
import type { Service } from '../service.ts';
import { Tally } from './tally.ts';
import { Thread, type ThreadState } from './thread.ts';
import { Watchdog } from './watchdog.ts';

interface SupervisorOptions {
  /** The module that each thread runs. It calls `joinSupervisor`. */
  readonly entry: URL;
  readonly count: number;
  /** Given to every thread, with its `slot` (0 to count − 1) added. */
  readonly workerData: Readonly<Record<string, unknown>>;
  readonly log: Log;
  /** The main thread's own; they appear among those of the threads. */
  readonly metrics: Metrics;
  /** Called once, after too many deaths in a minute: the process had better end and be started anew. No thread is replaced any more. */
  onGiveUp(): void;
  readonly maxDeathsPerMinute?: number;
  readonly firstRespawnMs?: number;
  readonly maxHeapMb?: number;
  /** A thread whose event loop does not turn for this long is ended and replaced. 0: never. */
  readonly stallMs?: number;
  readonly drainWithinMs?: number;
  /** How many threads drain at a time. */
  readonly drainAtOnce?: number;
  readonly metricsWithinMs?: number;
}

const DEFAULTS = {
  maxDeathsPerMinute: 5,
  firstRespawnMs: 200,
  stallMs: 10_000,
  drainWithinMs: 40_000,
  drainAtOnce: 1,
  metricsWithinMs: 1_000,
};

const DEATHS = 'Threads that ended without being asked';

/** What can be seen of a thread from outside. */
export interface ThreadView {
  readonly id: number;
  readonly slot: number;
  readonly state: ThreadState;
  readonly startedAt: number;
}

/** Keeps `count` threads running. A thread that dies takes nobody with it and is replaced after a pause. */
export class ThreadSupervisor implements Service {
  readonly name = 'threads';
  readonly #options: SupervisorOptions & typeof DEFAULTS;
  readonly #threads = new Map<number, Thread>();
  readonly #respawns = new Set<NodeJS.Timeout>();
  readonly #tally = new Tally();
  readonly #started = Promise.withResolvers<void>();
  #deaths: number[] = [];
  readonly #watchdog: Watchdog;
  #running = false;
  #ending = false;

  constructor(options: SupervisorOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#measure();
    const { stallMs, log, metrics } = this.#options;
    this.#watchdog = new Watchdog({ threads: () => this.#all(), stallMs, log, metrics });
  }

  /** Resolves when every thread serves. Rejects when they die too often before that. */
  run(): Promise<void> {
    for (let slot = 0; slot < this.#options.count; slot++) this.#spawn(slot);
    this.#watchdog.run();
    this.#running = true;
    return this.#started.promise;
  }

  /** Asks the threads to drain, in turn, and ends each when it is done or out of time. */
  async stop(): Promise<void> {
    this.#ending = true;
    for (const timer of this.#respawns) clearTimeout(timer);
    this.#watchdog.stop();
    if (this.#running) this.#started.reject(new Error('stopped before every thread served'));
    const waiting = this.#all();
    const lanes = Array.from({ length: Math.max(1, this.#options.drainAtOnce) }, async () => {
      for (let thread = waiting.shift(); thread; thread = waiting.shift()) await this.#drain(thread);
    });
    await Promise.all(lanes);
  }

  threads(): ThreadView[] {
    return this.#all().map(({ id, slot, state, startedAt }) => ({ id, slot, state, startedAt }));
  }

  /** Terminates one thread as a crash would. For tests of what happens then. Answers whether there was one. */
  async end(id: number): Promise<boolean> {
    const thread = this.#threads.get(id);
    await thread?.terminate();
    return thread !== undefined;
  }

  /** Asks every thread; the answers of those that gave one in time. */
  async command(command: unknown, withinMs = 1_000): Promise<unknown[]> {
    const answers = await Promise.allSettled(
      this.#all().map((thread) => thread.ask({ ask: 'command', command }, withinMs)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** The metrics of the main thread and of all threads as one text. */
  async metrics(): Promise<string> {
    return mergeMetrics(await this.#snapshots());
  }

  /** The same as numbers. */
  async snapshot(): Promise<MetricSnapshot> {
    return mergeSnapshots(await this.#snapshots());
  }

  /** The main thread's last: it counts which of the others did not answer. */
  async #snapshots(): Promise<MetricSnapshot[]> {
    const { metrics, metricsWithinMs } = this.#options;
    const parts = await this.#tally.parts(() => this.#all(), metricsWithinMs);
    return [await metrics.snapshot(), ...parts];
  }

  #measure(): void {
    const { metrics } = this.#options;
    metrics.counter('thread_deaths_total', DEATHS);
    metrics.gauge('threads_ready', 'Threads that serve', {
      collect: (gauge) => gauge.set(this.#all().filter((thread) => thread.state === 'ready').length),
    });
    metrics.gauge('threads_silent', 'Threads that did not answer this scrape: they stand with their last numbers', {
      collect: (gauge) => gauge.set(this.#tally.silent),
    });
  }

  #all(): Thread[] {
    return [...this.#threads.values()];
  }

  #spawn(slot: number): void {
    const { entry, workerData, log, maxHeapMb } = this.#options;
    const thread: Thread = new Thread({
      entry,
      slot,
      workerData,
      ...(maxHeapMb ? { maxHeapMb } : {}),
      onReady: () => this.#isReady(),
      onError: (error) => log.error({ err: error, thread: thread.id, slot }, 'a thread failed'),
      onExit: (code) => this.#exited(thread, code),
    });
    this.#threads.set(thread.id, thread);
  }

  #isReady(): void {
    const ready = this.#all().filter((thread) => thread.state === 'ready');
    if (ready.length === this.#options.count) this.#started.resolve();
  }

  #exited(thread: Thread, code: number): void {
    const { log, metrics, maxDeathsPerMinute, firstRespawnMs } = this.#options;
    const { id, slot } = thread;
    this.#tally.bury(thread);
    this.#threads.delete(id);
    if (this.#ending) return;
    metrics.counter('thread_deaths_total', DEATHS).inc();
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((at) => at > now - 60_000), now];
    if (this.#deaths.length >= maxDeathsPerMinute) {
      this.#giveUp();
      return;
    }
    const inMs = backoffMs(this.#deaths.length, { firstMs: firstRespawnMs, maxMs: 10_000 });
    log.error({ thread: id, slot, code, inMs }, 'a thread died and will be replaced');
    const timer = setTimeout(() => {
      this.#respawns.delete(timer);
      this.#spawn(slot);
    }, inMs);
    this.#respawns.add(timer);
  }

  #giveUp(): void {
    this.#ending = true;
    for (const timer of this.#respawns) clearTimeout(timer);
    const error = new Error(`${this.#deaths.length} threads died within a minute`);
    this.#options.log.fatal({ err: error }, 'threads die too often');
    this.#started.reject(error);
    this.#options.onGiveUp();
  }

  async #drain(thread: Thread): Promise<void> {
    if (thread.state === 'ended') return;
    thread.state = 'draining';
    try {
      await thread.ask({ ask: 'drain' }, this.#options.drainWithinMs);
    } catch (error) {
      this.#options.log.error({ err: error, thread: thread.id }, 'a thread did not drain cleanly');
    }
    await thread.terminate();
  }
}

/** Supervises threads that run `entry`. Nothing is started before `run`. */
export function superviseThreads(options: SupervisorOptions): ThreadSupervisor {
  return new ThreadSupervisor(options);
}
