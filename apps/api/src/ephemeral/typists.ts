/** Who types in a channel: each for a while, unless he is said to type again. */
export class Typists {
  readonly #ttlMs: number;
  readonly #onChange: (userId: string, typing: boolean) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(ttlMs: number, onChange: (userId: string, typing: boolean) => void) {
    this.#ttlMs = ttlMs;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#timers.size;
  }

  begin(userId: string): void {
    const before = this.#timers.get(userId);
    clearTimeout(before);
    this.#timers.set(userId, setTimeout(() => this.end(userId), this.#ttlMs).unref());
    if (!before) this.#onChange(userId, true);
  }

  end(userId: string): void {
    const timer = this.#timers.get(userId);
    if (!timer) return;
    clearTimeout(timer);
    this.#timers.delete(userId);
    this.#onChange(userId, false);
  }

  /** Forgets everybody, without a word. */
  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
