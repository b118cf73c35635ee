import type { Clock } from '@parley/runtime';
import { chanceOf } from '../../src/chance.ts';

/** Who does something. Once it is dead, nothing that it began goes on. */
export class Actor {
  readonly name: string;
  readonly #dying: (() => void)[] = [];
  #isAlive = true;

  constructor(name: string) {
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  die(): void {
    this.#isAlive = false;
    for (const work of this.#dying) work();
  }

  onDeath(work: () => void): void {
    this.#dying.push(work);
  }
}

/** What is done at once and whole, with anything in between it and the next. */
export interface Step<T> {
  readonly actor: Actor;
  readonly name: string;
  work(): Promise<T>;
  /** Null: it may be done at any time. */
  readonly isReady?: () => boolean;
  /** What the caller is told where the step was not done, or was, and the answer is lost. Without it neither happens. */
  readonly whenLost?: (wasSent: boolean) => unknown;
}

interface Task {
  readonly actor: Actor;
  readonly name: string;
  readonly isReady: () => boolean;
  run(fate: Fate): Promise<void>;
  readonly mayFail: boolean;
}

type Fate = 'done' | 'not sent' | 'not answered';

interface Timer {
  readonly at: number;
  readonly actor: Actor;
  fire(): void;
}

const BEGAN_AT = Date.UTC(2026, 0, 1);
/** While something can be done, time passes for timers of the near future only: steps are milliseconds, not minutes. */
const NEAR_MS = 400;
const TIMER_SHARE = 0.15;

/**
 * Decides what happens next: one of the steps that wait, or the next timer. Everything between two steps is the code's own and goes on
 * undisturbed, so that a seed is a run.
 */
export class Schedule {
  readonly chance: () => number;
  /** How often a step fails that may: of a thousand. */
  failures = 0;
  /** What was done, the newest last. */
  readonly trail: string[] = [];
  steps = 0;
  /** Steps whose work or answer was lost. */
  lost = 0;
  #now = BEGAN_AT;
  #tasks: Task[] = [];
  #timers: Timer[] = [];
  #outside = 0;

  constructor(seed: number) {
    this.chance = chanceOf(seed);
  }

  get now(): number {
    return this.#now;
  }

  /** No step waits. */
  get isIdle(): boolean {
    return this.#tasks.every((task) => !task.actor.isAlive);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.chance() * from.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }

  step<T>({ actor, name, work, isReady = () => true, whenLost }: Step<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!actor.isAlive) return;
      const run = async (fate: Fate) => {
        if (fate === 'not sent') return reject(whenLost?.(false));
        const tell = await work().then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error),
        );
        if (!actor.isAlive) return;
        if (fate === 'not answered') reject(whenLost?.(true));
        else tell();
      };
      this.#tasks.push({ actor, name, isReady, run, mayFail: whenLost !== undefined });
    });
  }

  /** Work on a real server that is no step, and that the next step waits for. */
  outside<T>(work: Promise<T>): Promise<T> {
    this.#outside++;
    return work.finally(() => {
      this.#outside--;
    });
  }

  /** Does one thing; false when nothing waits. */
  async tick(): Promise<boolean> {
    this.#tasks = this.#tasks.filter(({ actor }) => actor.isAlive);
    const ready = this.#tasks.filter((task) => task.isReady());
    const timer = this.#nextTimer();
    const isNear = timer !== undefined && timer.at - this.#now < NEAR_MS;
    if (timer && (ready.length === 0 || (isNear && this.chance() < TIMER_SHARE))) this.#fire(timer);
    else if (ready.length > 0) await this.#do(this.pick(ready));
    else return false;
    this.steps++;
    await this.settle();
    return true;
  }

  /** Until the code waits for a step, a timer, or nothing. */
  async settle(): Promise<void> {
    do {
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#outside > 0);
  }

  /** Time as an actor has it. */
  clockOf(actor: Actor): Clock & { after(ms: number, work: () => void): () => void } {
    const after = (ms: number, fire: () => void) => {
      const timer = { at: this.#now + Math.max(0, ms), actor, fire };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
    };
    return {
      now: () => this.#now,
      after,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const cancel = after(ms, () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          });
          const leave = () => {
            cancel();
            reject(signal?.reason);
          };
          signal?.addEventListener('abort', leave, { once: true });
        }),
    };
  }

  note(line: string): void {
    this.trail.push(`${this.#now - BEGAN_AT} ${line}`);
  }

  #nextTimer(): Timer | undefined {
    this.#timers = this.#timers.filter(({ actor }) => actor.isAlive);
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.at < next.at) next = timer;
    return next;
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }

  async #do(task: Task): Promise<void> {
    this.#tasks = this.#tasks.filter((each) => each !== task);
    this.#now++;
    const fails = task.mayFail && this.chance() * 1_000 < this.failures;
    if (fails) this.lost++;
    const fate: Fate = fails ? this.pick(['not sent', 'not answered']) : 'done';
    this.note(`${task.actor.name}: ${task.name}${fate === 'done' ? '' : ` (${fate})`}`);
    await task.run(fate);
  }
}
