/** Time for the client, so that tests own it. */
export interface ClientClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `work` once after `ms`, unless the returned function was called before. */
  after(ms: number, work: () => void): () => void;
}

export const browserClock: ClientClock = {
  now: () => Date.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
