import { Failure } from '@parley/domain';
import { type Breaker, BreakerOpenError, createBreaker } from '@parley/runtime';
import type { ChainableCommander, Redis } from 'ioredis';
import { type Call, isNoScript } from './log-store.ts';
import type { Script } from './script.ts';
import { turnWrites } from './turn-writes.ts';

const RETRY_AFTER_MS = 1_000;

/** Commands on the cache store, through one breaker. Whatever fails is `UNAVAILABLE`: what is kept there may be lost at any moment. */
export class CacheStore {
  readonly redis: Redis;
  readonly #breaker: Breaker = createBreaker({ name: 'cache store' });
  readonly #inOneWrite: () => void;

  /** `redis` is of kind `cache`. */
  constructor(redis: Redis) {
    this.redis = redis;
    this.#inOneWrite = turnWrites(redis);
  }

  /** Runs commands. Throws `UNAVAILABLE`. */
  async run<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw away();
    this.#inOneWrite();
    try {
      return await this.#breaker.run(() => work(this.redis));
    } catch (error) {
      throw away(error);
    }
  }

  /** The replies of one pipeline, in order. Throws the first error among them, as `UNAVAILABLE`. */
  pipeline(add: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    return this.run(async (redis) => repliesOf(await results(redis, add)));
  }

  /** Calls a script once for each, in one pipeline; a server that does not know it gets its text. */
  evalEach(script: Script, calls: readonly Call[]): Promise<unknown[]> {
    return this.run(async (redis) => {
      const found = await results(redis, (pipeline) => {
        for (const { keys, args } of calls) pipeline.evalsha(script.sha, keys.length, ...keys, ...args);
      });
      const unknown = calls.filter((_, i) => isNoScript(found[i]?.[0]));
      if (unknown.length === 0) return repliesOf(found);
      const again = await results(redis, (pipeline) => {
        for (const { keys, args } of unknown) pipeline.eval(script.text, keys.length, ...keys, ...args);
      });
      return repliesOf(found.map((result) => (isNoScript(result[0]) ? (again.shift() ?? result) : result)));
    });
  }
}

type Result = [error: Error | null, reply: unknown];

async function results(redis: Redis, add: (pipeline: ChainableCommander) => void): Promise<Result[]> {
  const pipeline = redis.pipeline();
  add(pipeline);
  return (await pipeline.exec()) ?? [];
}

function repliesOf(found: readonly Result[]): unknown[] {
  return found.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

function away(cause?: unknown): Failure {
  const retryAfterMs = cause instanceof BreakerOpenError ? cause.retryAfterMs : RETRY_AFTER_MS;
  return new Failure('UNAVAILABLE', 'This is not known now.', { cause, retryAfterMs });
}
