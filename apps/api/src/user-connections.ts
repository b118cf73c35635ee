/** Counts the live connections of each user. */
export class UserConnections {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one more and gives the function that counts it off; null when the user has as many as he may. */
  enter(userId: string): (() => void) | null {
    const count = this.#counts.get(userId) ?? 0;
    if (count >= this.#max) return null;
    this.#counts.set(userId, count + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const left = (this.#counts.get(userId) ?? 1) - 1;
      if (left > 0) this.#counts.set(userId, left);
      else this.#counts.delete(userId);
    };
  }
}
