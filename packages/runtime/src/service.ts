import { systemClock } from './clock.ts';
import type { Log } from './log.ts';

/** Something long-lived. `run` starts it and may return at once; `stop` ends it, and may be called when it never ran. */
export interface Service {
  readonly name: string;
  run(): Promise<void> | void;
  stop(): Promise<void>;
}

interface LifecycleOptions {
  readonly log: Log;
  /** A service that takes longer to stop is left behind, and said so. */
  readonly stopWithinMs?: number;
}

interface Kept {
  readonly service: Service;
  readonly withinMs: number;
}

/**
 * Starts and ends the services of a process. Supporting ones run first and stop last, so that what faces users never works without
 * what it stands on. Within a group they stop in the reverse order of their start.
 */
export class Lifecycle {
  readonly #log: Log;
  readonly #stopWithinMs: number;
  readonly #facing: Kept[] = [];
  readonly #supporting: Kept[] = [];
  readonly #started: Kept[] = [];
  #drained: Promise<void> | undefined;

  constructor(options: LifecycleOptions) {
    this.#log = options.log;
    this.#stopWithinMs = options.stopWithinMs ?? 15_000;
  }

  /** Adds what users reach: doors, sockets, consumers. */
  userFacing<S extends Service>(service: S, options: { withinMs?: number } = {}): S {
    this.#facing.push({ service, withinMs: options.withinMs ?? this.#stopWithinMs });
    return service;
  }

  /** Adds what others stand on: stores, connections, flushers. */
  supporting<S extends Service>(service: S, options: { withinMs?: number } = {}): S {
    this.#supporting.push({ service, withinMs: options.withinMs ?? this.#stopWithinMs });
    return service;
  }

  /** Runs all services in order. When one fails, those before it are stopped again and its error is thrown. */
  async run(): Promise<void> {
    for (const kept of [...this.#supporting, ...this.#facing]) {
      this.#started.push(kept);
      try {
        await kept.service.run();
      } catch (error) {
        this.#log.error({ err: error, service: kept.service.name }, 'a service did not start');
        await this.drain().catch((closing: unknown) => {
          throw new AggregateError([error, closing], `${kept.service.name} did not start, and closing failed too`);
        });
        throw error;
      }
    }
  }

  /** Stops everything that was started, once. Every service gets its turn; the errors are thrown together at the end. */
  drain(): Promise<void> {
    this.#drained ??= this.#stopAll();
    return this.#drained;
  }

  async #stopAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const kept of this.#started.toReversed()) {
      try {
        await stopWithin(kept);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 0) return;
    const together = new AggregateError(errors, `${errors.length} services did not stop cleanly`);
    this.#log.error({ err: together }, 'the drain was not clean');
    throw together;
  }
}

async function stopWithin({ service, withinMs }: Kept): Promise<void> {
  const done = new AbortController();
  const late = systemClock.sleep(withinMs, done.signal).then(
    () => {
      throw new Error(`${service.name} did not stop within ${withinMs} ms`);
    },
    () => undefined,
  );
  try {
    await Promise.race([service.stop(), late]);
  } catch (error) {
    throw new Error(`${service.name} did not stop`, { cause: error });
  } finally {
    done.abort();
  }
}
