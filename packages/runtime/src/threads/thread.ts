import { Worker } from 'node:worker_threads';
import type { MetricSnapshot } from '../metrics.ts';
import { type Question, sayingSchema } from './messages.ts';

interface ThreadOptions {
  readonly entry: URL;
  readonly slot: number;
  readonly workerData: Readonly<Record<string, unknown>>;
  readonly maxHeapMb?: number;
  onReady(): void;
  onError(error: unknown): void;
  onExit(code: number): void;
}

interface Asked {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly timer: NodeJS.Timeout;
}

/** `starting` until the thread says that it serves; `draining` from the moment it is asked to leave; `ended` when it is gone. */
export type ThreadState = 'starting' | 'ready' | 'draining' | 'ended';

/** The supervisor's side of one thread: questions with a time limit, and what the thread last said of itself. */
export class Thread {
  readonly slot: number;
  readonly id: number;
  readonly startedAt = Date.now();
  state: ThreadState = 'starting';
  /** Pings in a row that it has not answered. */
  missedPings = 0;
  /** Its event loop does not turn, and it is about to be ended. */
  stalled = false;
  lastMetrics: MetricSnapshot = [];
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  readonly #asked = new Map<number, Asked>();
  #questions = 0;

  constructor(options: ThreadOptions) {
    const { entry, slot, workerData, maxHeapMb } = options;
    this.slot = slot;
    this.#options = options;
    this.#worker = new Worker(entry, {
      name: `thread-${slot}`,
      workerData: { ...workerData, slot },
      ...(maxHeapMb ? { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } } : {}),
    });
    this.id = this.#worker.threadId;
    this.#worker.on('message', (message: unknown) => this.#hear(message));
    this.#worker.on('error', (error) => options.onError(error));
    this.#worker.on('exit', (code) => this.#exited(code));
  }

  /** The thread's answer. Rejects when there is none in time, when the work failed, and when the thread ends. */
  ask(question: Omit<Question, 'question'>, withinMs: number): Promise<unknown> {
    if (this.state === 'ended') return Promise.reject(new Error(`thread ${this.id} has ended`));
    const number = ++this.#questions;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(number);
        reject(new Error(`thread ${this.id} did not answer ${question.ask} within ${withinMs} ms`));
      }, withinMs);
      this.#asked.set(number, { resolve, reject, timer });
      this.#worker.postMessage({ ...question, question: number } satisfies Question);
    });
  }

  /** Ends the thread at once, whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(message: unknown): void {
    const parsed = sayingSchema.safeParse(message);
    if (!parsed.success) return;
    const saying = parsed.data;
    if ('ready' in saying) {
      if (this.state === 'starting') this.state = 'ready';
      this.#options.onReady();
      return;
    }
    const asked = this.#asked.get(saying.answerTo);
    if (!asked) return;
    this.#asked.delete(saying.answerTo);
    clearTimeout(asked.timer);
    if ('error' in saying) asked.reject(new Error(saying.error));
    else asked.resolve(saying.value);
  }

  #exited(code: number): void {
    this.state = 'ended';
    for (const asked of this.#asked.values()) {
      clearTimeout(asked.timer);
      asked.reject(new Error(`thread ${this.id} ended`));
    }
    this.#asked.clear();
    this.#options.onExit(code);
  }
}
