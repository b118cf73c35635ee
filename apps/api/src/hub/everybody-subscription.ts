import type { Broker } from '@parley/domain';
import { backoffMs, type Clock, type Log, type Service } from '@parley/runtime';
import { pause } from './pause.ts';

interface EverybodyDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Pick<Log, 'debug'>;
  /** The subscription stands: what was said before it was not heard. */
  readonly onHeard: () => void;
}

const RETRY_MS = { firstMs: 200, maxMs: 5_000 };

/** Listens to what concerns every node, from the start to the end of a thread; tries again until the broker can. */
export class EverybodySubscription implements Service {
  readonly name = 'hints for everybody';
  readonly #deps: EverybodyDeps;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: EverybodyDeps) {
    this.#deps = deps;
  }

  run(): void {
    this.#running ??= this.#subscribe();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #subscribe(): Promise<void> {
    const { broker, clock, log, onHeard } = this.#deps;
    const { signal } = this.#stopping;
    for (let failure = 1; !signal.aborted; failure++) {
      try {
        await broker.subscribe({ everybody: true });
        onHeard();
        return;
      } catch (error) {
        log.debug({ err: error }, 'hints for everybody are not heard yet');
        await pause(clock, backoffMs(failure, RETRY_MS), signal);
      }
    }
  }
}
