import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Latencies, type LatencyBuckets } from './latencies.ts';
import type { Tally } from './ledger.ts';

/** What happened in one second, as a line of the file that the runner reads. */
export interface Beat {
  /** Epoch milliseconds at its end. */
  readonly at: number;
  readonly connections: number;
  /** The most at the same time within the second. */
  readonly peakConnections: number;
  readonly sends: number;
  /** Sends included. */
  readonly calls: number;
  /** Messages that came to a reader. */
  readonly deliveries: number;
  /** Everything that was pushed: messages, receipts, who types, who is there … */
  readonly events: number;
  readonly errors: number;
  readonly sendMs: LatencyBuckets;
  readonly deliveryMs: LatencyBuckets;
  readonly connectMs: LatencyBuckets;
  /** How late this process's own event loop was: what it measures is later by as much. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** Share of the second that the event loop was busy. */
  readonly busy: number;
}

/** The last line: what the whole run came to. */
export interface Outcome {
  readonly tally: Tally;
  /** Messages that were answered. */
  readonly accepted: number;
  /** Visits that ended with an error of their own. */
  readonly failedVisits: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Lines that were cut while they were open. */
  readonly cuts: number;
  /** Unread counts that were not what had been missed. */
  readonly unreadWrong: number;
}

/** How often the loop is looked at. The histogram holds the whole time between two looks. */
const LOOP_EVERY_MS = 5;

type Count = 'sends' | 'calls' | 'deliveries' | 'events';

/** Where Artillery takes measurements. */
export interface Meter {
  emit(kind: 'counter' | 'histogram', name: string, value: number): void;
}

/** Counts what the virtual users do, tells Artillery, and writes a line a second. */
export class Pulse {
  readonly #path: string | undefined;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_EVERY_MS });
  readonly #sendMs = new Latencies();
  readonly #deliveryMs = new Latencies();
  readonly #connectMs = new Latencies();
  readonly #counts = { sends: 0, calls: 0, deliveries: 0, events: 0, errors: 0 };
  readonly #errors: Record<string, number> = {};
  #busyBefore = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | undefined;
  #meter: Meter | undefined;
  #cuts = 0;
  #connections = 0;
  #peak = 0;

  /** Without a path nothing is written. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Begins with the first visit. */
  run(meter: Meter): void {
    this.#meter ??= meter;
    if (this.#timer) return;
    this.#loop.enable();
    meter.emit('counter', 'parley.errors', 0); // A condition on a counter that was never touched fails.
    this.#timer = setInterval(() => this.#beat(), 1_000);
    this.#timer.unref();
  }

  /** Somebody came (1), or left (-1). */
  connected(change: 1 | -1): void {
    this.#connections += change;
    this.#peak = Math.max(this.#peak, this.#connections);
  }

  /** A line was cut on purpose. */
  cut(): void {
    this.#cuts++;
  }

  count(what: Count): void {
    this.#counts[what]++;
    this.#meter?.emit('counter', `parley.${what}`, 1);
  }

  /** By a word that says what went wrong. */
  error(what: string): void {
    this.#counts.errors++;
    this.#errors[what] = (this.#errors[what] ?? 0) + 1;
    this.#meter?.emit('counter', 'parley.errors', 1);
  }

  took(what: 'send' | 'delivery' | 'connect', ms: number): void {
    if (what === 'send') this.#sendMs.record(ms);
    else if (what === 'delivery') this.#deliveryMs.record(ms);
    else this.#connectMs.record(ms);
    this.#meter?.emit('histogram', `parley.${what}_ms`, ms);
  }

  /** Writes the last lines. */
  end(outcome: Omit<Outcome, 'errors' | 'cuts'>): void {
    clearInterval(this.#timer);
    this.#beat();
    this.#write({ outcome: { ...outcome, cuts: this.#cuts, errors: this.#errors } satisfies Outcome });
  }

  #beat(): void {
    const now = performance.eventLoopUtilization();
    const beat: Beat = {
      at: Date.now(),
      connections: this.#connections,
      peakConnections: this.#peak,
      ...this.#counts,
      sendMs: this.#sendMs.take(),
      deliveryMs: this.#deliveryMs.take(),
      connectMs: this.#connectMs.take(),
      loopP99Ms: lateMs(this.#loop.percentile(99)),
      loopMaxMs: lateMs(this.#loop.max),
      busy: performance.eventLoopUtilization(now, this.#busyBefore).utilization,
    };
    this.#busyBefore = now;
    this.#loop.reset();
    this.#peak = this.#connections;
    Object.assign(this.#counts, { sends: 0, calls: 0, deliveries: 0, events: 0, errors: 0 });
    this.#write(beat);
  }

  #write(line: object): void {
    if (this.#path) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LOOP_EVERY_MS);
