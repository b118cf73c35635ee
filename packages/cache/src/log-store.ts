import { Failure } from '@parley/domain';
import { type Breaker, BreakerOpenError, type BreakerState, createBreaker } from '@parley/runtime';
import type { ChainableCommander, Redis } from 'ioredis';
import type { Script } from './script.ts';
import { turnWrites } from './turn-writes.ts';

interface LogStoreOptions {
  /** Of kind `log`. */
  readonly redis: Redis;
  readonly onBreaker?: (state: BreakerState) => void;
}

/** What a script is called with. */
export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

const RETRY_AFTER_MS = 1_000;

/** The server answered, with an error: it lives. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** The server does not know the script: it restarted, or somebody flushed its scripts. */
export function isNoScript(error: unknown): boolean {
  return isReply(error) && error.message.startsWith('NOSCRIPT');
}

function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/** Answers by which a server says that it cannot serve now, though it lives. */
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|MISCONF|CLUSTERDOWN|NOREPLICAS|BUSY)\b/;

/**
 * Commands on the log store, through one breaker. What fails becomes a `Failure`: `UNAVAILABLE` when nothing can have happened,
 * `UNKNOWN_RETRY` when a write may have (no answer in time, connection lost), `BACKPRESSURE` when the server's memory is full.
 */
export class LogStore {
  readonly redis: Redis;
  readonly #breaker: Breaker;
  readonly #inOneWrite: () => void;

  constructor({ redis, onBreaker }: LogStoreOptions) {
    this.redis = redis;
    this.#inOneWrite = turnWrites(redis);
    this.#breaker = createBreaker({
      name: 'log store',
      // A connection that is lost is seen without the breaker, and usable again as soon as it is back: only silence counts.
      isFailure: isSilence,
      onChange: (state) => {
        // Silence on an open connection may last as long as TCP is patient, which is minutes; a new one finds out sooner.
        if (state === 'open' && redis.status === 'ready') redis.disconnect(true);
        onBreaker?.(state);
      },
    });
  }

  /** Runs a script by its name, never by its text: a server that does not know it is one that forgot. Throws NOSCRIPT as it came. */
  evalsha(sha: string, { keys, args }: Call): Promise<unknown> {
    return this.#send('UNKNOWN_RETRY', () => this.redis.evalsha(sha, keys.length, ...keys, ...args));
  }

  /** Runs a script that needs no fence: a server that does not know it gets its text. */
  async eval(script: Script, { keys, args }: Call): Promise<unknown> {
    return this.#send('UNKNOWN_RETRY', async () => {
      try {
        return await this.redis.evalsha(script.sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!isNoScript(error)) throw error;
        return await this.redis.eval(script.text, keys.length, ...keys, ...args);
      }
    });
  }

  /** Commands that change nothing. */
  read<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return this.#send('UNAVAILABLE', () => work(this.redis));
  }

  /** Commands whose outcome is unknown when they fail. */
  write<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return this.#send('UNKNOWN_RETRY', () => work(this.redis));
  }

  async #send<T>(whenLost: 'UNAVAILABLE' | 'UNKNOWN_RETRY', work: () => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw away();
    this.#inOneWrite();
    try {
      return await this.#breaker.run(work);
    } catch (error) {
      throw failureOf(error, whenLost);
    }
  }
}

function away(cause?: unknown): Failure {
  return new Failure('UNAVAILABLE', 'The message log is away.', { cause, retryAfterMs: RETRY_AFTER_MS });
}

function failureOf(error: unknown, whenLost: 'UNAVAILABLE' | 'UNKNOWN_RETRY'): unknown {
  if (error instanceof Failure) return error;
  if (isReply(error)) {
    if (error.message.startsWith('OOM')) {
      const detail = { cause: error, retryAfterMs: RETRY_AFTER_MS, level: 'error' } as const;
      return new Failure('BACKPRESSURE', 'The message log is full.', detail);
    }
    return NOT_NOW.test(error.message) ? away(error) : error;
  }
  const unsent = error instanceof BreakerOpenError || String(error).includes("Stream isn't writeable");
  if (unsent || whenLost === 'UNAVAILABLE') return away(error);
  return new Failure('UNKNOWN_RETRY', 'The message log did not answer; try again.', {
    cause: error,
    retryAfterMs: 100,
  });
}

/** The replies of a pipeline in order. Throws the first error among them. */
export async function replies(pipeline: ChainableCommander): Promise<unknown[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
