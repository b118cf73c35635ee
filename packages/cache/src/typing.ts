import type { TypingSignal, TypingSignals } from '@parley/domain';
import type { CacheStore } from './cache-store.ts';
import type { Keys } from './keys.ts';
import { readScript } from './script.ts';

interface RedisTypingOptions {
  readonly store: CacheStore;
  readonly keys: Keys;
  readonly ttlMs: number;
}

/** What is repeated sooner is not published again. */
const REPEAT_MS = 1_000;
const TYPING = readScript('typing');

/** Tells all nodes who types: one script, which knows what it told last. */
export class RedisTyping implements TypingSignals {
  readonly #options: RedisTypingOptions;

  constructor(options: RedisTypingOptions) {
    this.#options = options;
  }

  async say(channelId: string, signal: TypingSignal): Promise<number> {
    const { store, keys, ttlMs } = this.#options;
    const args = [signal.typing ? 1 : 0, ttlMs, REPEAT_MS, signal.after ?? '', JSON.stringify(signal)];
    const topic = keys.typing(channelId);
    const [holdsMs] = await store.evalEach(TYPING, [{ keys: [`${topic}:${signal.userId}`, topic], args }]);
    return Number(holdsMs);
  }
}
