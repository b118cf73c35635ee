/** One minute of a deployment. */
export interface Minute {
  /** Users who want to be connected. */
  readonly users: number;
  /** Log entries a second. */
  readonly entries: number;
}

/** Reads `minute,users,entries` lines; what lies between two lines is on the straight line between them. */
export function readLoad(csv: string): (second: number) => Minute {
  const rows = csv
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').map(Number));
  return (second) => {
    const minute = second / 60;
    const at = Math.max(
      0,
      rows.findLastIndex(([start = 0]) => start <= minute),
    );
    const [from = 0, users = 0, entries = 0] = rows[at] ?? [];
    const [to = from, nextUsers = users, nextEntries = entries] = rows[at + 1] ?? [];
    const share = to > from ? (minute - from) / (to - from) : 0;
    return { users: users + (nextUsers - users) * share, entries: entries + (nextEntries - entries) * share };
  };
}

/** The same numbers for the same seed, each from -1 to 1. */
export function createNoise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
