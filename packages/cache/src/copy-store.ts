import type { Redis } from 'ioredis';
import { CacheStore } from './cache-store.ts';
import { readScript } from './script.ts';

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

/** Longer than any copy lives: when the generation of a whole cache is forgotten, there is no copy of another one left. */
const GENERATION_MS = 3_600_000;
/** A thread that renews a copy is believed to be at it for this long. */
const RENEWAL_MS = 10_000;

const GENERATION = readScript('copy-generation');
const KEEP = readScript('copy-keep');
const FORGET = readScript('copy-forget');

/** Commands on copies, each one round trip. Throws `UNAVAILABLE` when the store is away. */
export class CopyStore {
  readonly #store: CacheStore;

  /** `redis` is of kind `cache`. */
  constructor(redis: Redis) {
    this.#store = new CacheStore(redis);
  }

  /** Copies, and with them the generation of their whole cache, where it has one and that was ever changed. */
  async get(
    keys: readonly CopyKeys[],
    every: CopyKeys | null,
  ): Promise<{ copies: (Buffer | null)[]; era: string | null }> {
    const found = await this.#store.pipeline((pipeline) => {
      for (const { copy } of keys) pipeline.getBuffer(copy);
      if (every) pipeline.get(every.generation);
    });
    const era = every ? (found.pop() as string | null) : null;
    return { copies: found as (Buffer | null)[], era };
  }

  /** The generation of each copy, as it is before a refill. */
  async generations(keys: readonly CopyKeys[]): Promise<string[]> {
    const calls = keys.map(({ generation }) => ({ keys: [generation], args: [GENERATION_MS] }));
    return (await this.#store.evalEach(GENERATION, calls)).map(String);
  }

  async keep(copies: readonly Kept[]): Promise<void> {
    const plain = copies.filter(({ since }) => since === null);
    const guarded = copies.filter(({ since }) => since !== null);
    if (plain.length > 0) {
      await this.#store.pipeline((pipeline) => {
        for (const { copy, bytes, ttlMs } of plain) pipeline.set(copy, bytes, 'PX', ttlMs);
      });
    }
    if (guarded.length === 0) return;
    const calls = guarded.map(({ copy, generation, since, bytes, ttlMs }) => ({
      keys: [copy, generation],
      args: [since ?? '', bytes, ttlMs],
    }));
    await this.#store.evalEach(KEEP, calls);
  }

  async forget(keys: readonly CopyKeys[]): Promise<void> {
    const calls = keys.map(({ copy, generation }) => ({ keys: [copy, generation], args: [GENERATION_MS] }));
    await this.#store.evalEach(FORGET, calls);
  }

  /** True for one of all threads that ask at about the same time. */
  async mayRenew({ copy }: CopyKeys): Promise<boolean> {
    return (await this.#store.run((redis) => redis.set(`${copy}:renewal`, '1', 'PX', RENEWAL_MS, 'NX'))) === 'OK';
  }
}
