import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, GroupSpec, Order, RunResult, RunSpec, StormResult } from './crowd/orders.ts';

const MAIN = fileURLToPath(new URL('./crowd/main.ts', import.meta.url));

/** The clients of all systems under test, in a process of their own, so that their work is on nobody's bill. */
export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor() {
    this.#child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.value);
    });
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the crowd ended (${code ?? signal})`));
      this.#waiting.clear();
    });
  }

  /** Connects a group; resolves when all of it is subscribed. */
  async open(group: GroupSpec): Promise<void> {
    await this.#order({ do: 'open', group });
  }

  /** Lets a group send; throws when a message was refused, lost, doubled or came out of order. */
  async run(run: RunSpec): Promise<RunResult> {
    return checked((await this.#order({ do: 'run', run })) as RunResult, run.group);
  }

  /** The same for a load that may be too much: what went wrong is in the result. */
  async tryRun(run: RunSpec): Promise<RunResult> {
    return (await this.#order({ do: 'run', run })) as RunResult;
  }

  async storm(order: Omit<Extract<Order, { do: 'storm' }>, 'do'>): Promise<StormResult> {
    return (await this.#order({ do: 'storm', ...order })) as StormResult;
  }

  async close(group: string): Promise<void> {
    await this.#order({ do: 'close', group });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  #order(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order });
    });
  }
}

/** A figure of a run that did not do its work is worth nothing. */
function checked(result: RunResult, group: string): RunResult {
  const { lost, doubled, disordered, refused, firstRefusal } = result;
  if (lost + doubled + disordered + refused > 0) {
    throw new Error(
      `${group}: ${lost} lost, ${doubled} doubled, ${disordered} out of order, ${refused} refused ${firstRefusal}`.trim(),
    );
  }
  return result;
}
