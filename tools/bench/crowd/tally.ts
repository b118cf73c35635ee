import { Histogram } from './histogram.ts';
import type { RunResult, Times } from './orders.ts';

const timesOf = (histogram: Histogram): Times => ({
  p50: histogram.quantile(0.5),
  p95: histogram.quantile(0.95),
  p99: histogram.quantile(0.99),
});

const REFUSED = -1;

/** Follows the messages of one run from the moment each is due to its last delivery. Numbers below `first` are of runs before. */
export class Tally {
  readonly first: number;
  readonly #due: number[] = [];
  readonly #left: number[] = [];
  readonly #wanted: number[] = [];
  readonly #answered: boolean[] = [];
  readonly #ack = new Histogram();
  readonly #delivery = new Histogram();
  #unfinished = 0;
  #unanswered = 0;
  #deliveries = 0;
  #doubled = 0;
  #refused = 0;
  #firstRefusal = '';
  #began = 0;
  /** `performance.now()` of the last delivery. */
  lastAt = 0;
  /** Called when a message has been answered and has arrived everywhere. */
  onDone: (() => void) | undefined;

  constructor(first: number) {
    this.first = first;
  }

  get messages(): number {
    return this.#due.length;
  }

  /** Whether everything that was sent so far is answered and has arrived. */
  get isSettled(): boolean {
    return this.#unfinished === 0 && this.#unanswered === 0;
  }

  /** Whether the first `count` messages have arrived everywhere. */
  isDoneBefore(count: number): boolean {
    return this.#left.slice(0, count).every((left) => left <= 0);
  }

  /** Takes a number for a message that is due now or was due at `at`, and will be delivered to so many. */
  next(receivers: number, { at, answers }: { at: number; answers: boolean }): number {
    if (this.#due.length === 0) this.#began = at;
    this.lastAt = Math.max(this.lastAt, at);
    this.#due.push(at);
    this.#left.push(receivers);
    this.#wanted.push(receivers);
    this.#answered.push(!answers);
    if (receivers > 0) this.#unfinished++;
    if (answers) this.#unanswered++;
    return this.first + this.#due.length - 1;
  }

  delivered(seq: number): void {
    const i = seq - this.first;
    const left = this.#left[i];
    if (left === undefined || left === REFUSED) return;
    if (left === 0) {
      this.#doubled++;
      return;
    }
    this.lastAt = performance.now();
    this.#delivery.add(this.lastAt - (this.#due[i] ?? 0));
    this.#deliveries++;
    this.#left[i] = left - 1;
    if (left > 1) return;
    this.#unfinished--;
    if (this.#answered[i]) this.onDone?.();
  }

  answered(seq: number, refusal: string): void {
    const i = seq - this.first;
    if (this.#answered[i] !== false) return;
    this.#answered[i] = true;
    this.#unanswered--;
    if (refusal === '') this.#ack.add(performance.now() - (this.#due[i] ?? 0));
    else this.#refuse(i, refusal);
    if ((this.#left[i] ?? 0) <= 0) this.onDone?.();
  }

  /** Nobody waits for what was refused; after a time-out it may still arrive. */
  #refuse(i: number, refusal: string): void {
    this.#refused++;
    this.#firstRefusal ||= refusal.slice(0, 500);
    if ((this.#left[i] ?? 0) > 0) this.#unfinished--;
    this.#deliveries -= (this.#wanted[i] ?? 0) - (this.#left[i] ?? 0);
    this.#left[i] = REFUSED;
    this.#wanted[i] = 0;
  }

  result(rest: Pick<RunResult, 'disordered' | 'otherFrames' | 'frameBytes' | 'sampleFrame' | 'ownLoad'>): RunResult {
    return {
      messages: this.messages,
      deliveries: this.#deliveries,
      lost: this.#wanted.reduce((sum, wanted) => sum + wanted, 0) - this.#deliveries,
      doubled: this.#doubled,
      refused: this.#refused,
      firstRefusal: this.#firstRefusal,
      tookMs: this.lastAt - this.#began,
      ackMs: timesOf(this.#ack),
      deliveryMs: timesOf(this.#delivery),
      ...rest,
    };
  }
}
