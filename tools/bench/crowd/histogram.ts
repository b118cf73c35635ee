const STEP_MS = 0.05;
const LONGEST_MS = 30_000;

/** Times in steps of 0.05 ms up to 30 s; longer ones count as 30 s. */
export class Histogram {
  readonly #counts = new Uint32Array(LONGEST_MS / STEP_MS + 1);
  #total = 0;

  add(ms: number): void {
    const at = Math.min(this.#counts.length - 1, Math.max(0, Math.round(ms / STEP_MS)));
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total++;
  }

  /** The time within which the share `q` (0..1) of all lies, in ms; NaN of none. */
  quantile(q: number): number {
    if (this.#total === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(this.#total * q));
    for (let at = 0; at < this.#counts.length; at++) {
      left -= this.#counts[at] ?? 0;
      if (left <= 0) return at * STEP_MS;
    }
    return LONGEST_MS;
  }
}
