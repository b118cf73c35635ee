import { type Breaker, type Clock, createBreaker } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { isNoScript, replies } from './log-store.ts';
import { readScript, type Script } from './script.ts';

interface CopyStoreOptions {
  /** Of kind `cache`. */
  readonly redis: Redis;
  readonly clock?: Clock;
}

/** The two keys of a copy. Their hash tag is the same. */
export interface CopyKeys {
  readonly copy: string;
  readonly generation: string;
}

/** A copy on its way into the store; with a generation it is kept only if that is still the one. */
export interface Kept extends CopyKeys {
  readonly bytes: Buffer;
  readonly ttlMs: number;
  readonly since: string | null;
}

/** Longer than any statement may take: a refill that outlives its generation is not kept. */
const GENERATION_MS = 60_000;
/** A thread that renews a copy is believed to be at it for this long. */
const RENEWAL_MS = 10_000;

const GENERATION = readScript('copy-generation');
const KEEP = readScript('copy-keep');
const FORGET = readScript('copy-forget');

interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** Commands on copies, each one round trip through one breaker. Throws when the store is away. */
export class CopyStore {
  readonly #redis: Redis;
  readonly #breaker: Breaker;

  constructor({ redis, clock }: CopyStoreOptions) {
    this.#redis = redis;
    this.#breaker = createBreaker({ name: 'copies', ...(clock && { clock }) });
  }

  get(keys: readonly CopyKeys[]): Promise<(Buffer | null)[]> {
    return this.#breaker.run(async () => {
      const pipeline = this.#redis.pipeline();
      for (const { copy } of keys) pipeline.getBuffer(copy);
      return (await replies(pipeline)) as (Buffer | null)[];
    });
  }

  /** The generation of each copy, as it is before a refill. */
  async generations(keys: readonly CopyKeys[]): Promise<string[]> {
    const calls = keys.map(({ generation }) => ({ keys: [generation], args: [GENERATION_MS] }));
    return (await this.#run(GENERATION, calls)).map(String);
  }

  async keep(copies: readonly Kept[]): Promise<void> {
    const plain = copies.filter(({ since }) => since === null);
    const guarded = copies.filter(({ since }) => since !== null);
    await Promise.all([
      plain.length > 0 && this.#set(plain),
      this.#run(
        KEEP,
        guarded.map(({ copy, generation, since, bytes, ttlMs }) => ({
          keys: [copy, generation],
          args: [since ?? '', bytes, ttlMs],
        })),
      ),
    ]);
  }

  async forget(keys: readonly CopyKeys[]): Promise<void> {
    await this.#run(
      FORGET,
      keys.map(({ copy, generation }) => ({ keys: [copy, generation], args: [GENERATION_MS] })),
    );
  }

  /** True for one of all threads that ask at about the same time. */
  async mayRenew({ copy }: CopyKeys): Promise<boolean> {
    return this.#breaker.run(
      async () => (await this.#redis.set(`${copy}:renewal`, '1', 'PX', RENEWAL_MS, 'NX')) === 'OK',
    );
  }

  #set(copies: readonly Kept[]): Promise<unknown> {
    return this.#breaker.run(() => {
      const pipeline = this.#redis.pipeline();
      for (const { copy, bytes, ttlMs } of copies) pipeline.set(copy, bytes, 'PX', ttlMs);
      return replies(pipeline);
    });
  }

  /** The calls in one pipeline; a server that does not know the script is told it once, and asked again. */
  async #run(script: Script, calls: readonly ScriptCall[]): Promise<unknown[]> {
    if (calls.length === 0) return [];
    return this.#breaker.run(async () => {
      try {
        return await this.#evalsha(script, calls);
      } catch (error) {
        if (!isNoScript(error)) throw error;
        await this.#redis.script('LOAD', script.text);
        return await this.#evalsha(script, calls);
      }
    });
  }

  #evalsha(script: Script, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline();
    for (const { keys, args } of calls) pipeline.evalsha(script.sha, keys.length, ...keys, ...args);
    return replies(pipeline);
  }
}
