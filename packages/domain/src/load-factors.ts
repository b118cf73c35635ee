/** How much one thread has to bear, as shares of what it can: 1 is full. */
export interface Load {
  /** Share of time that its event loop is busy. */
  readonly loop: number;
  /** Entries that wait for Postgres in the fullest partition, of those that may wait there. */
  readonly backlog: number;
}

/** What is left of the limits under load: 1 is all of it. */
export interface LoadFactors {
  /** Of what users send: it shrinks last, and by the backlog alone. */
  readonly sends: number;
  /** Of everything else. */
  readonly calls: number;
}

/** All of every limit. */
export const NO_LOAD: LoadFactors = { sends: 1, calls: 1 };

/** Whole up to `from`, least from `to` on, and a straight line between. */
interface Slope {
  readonly from: number;
  readonly to: number;
  readonly least: number;
}

const CALLS_BY_LOOP: Slope = { from: 0.7, to: 0.95, least: 0.25 };
const CALLS_BY_BACKLOG: Slope = { from: 0.5, to: 0.9, least: 0.2 };
// Begins after the others and stays above them: a message that cannot be sent is worse than a page that comes late.
const SENDS_BY_BACKLOG: Slope = { from: 0.75, to: 0.95, least: 0.25 };

/** How far the limits shrink under this load: never below a fifth, never above the whole, and never more for less load. */
export function loadFactors({ loop, backlog }: Load): LoadFactors {
  return {
    sends: along(SENDS_BY_BACKLOG, backlog),
    calls: Math.min(along(CALLS_BY_LOOP, loop), along(CALLS_BY_BACKLOG, backlog)),
  };
}

function along({ from, to, least }: Slope, share: number): number {
  // What could not be measured (NaN) is no load.
  if (!(share > from)) return 1;
  return share >= to ? least : 1 - ((1 - least) * (share - from)) / (to - from);
}
