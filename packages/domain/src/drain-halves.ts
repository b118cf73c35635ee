/**
 * Cuts what Postgres refused in two, in the log's order, so that each half holds a prefix of what the other goes on with. Of a single
 * entry there is no half: that one is the poison. Rounds down: the entries before a poison one are written as soon as they can be.
 */
export function halvesOf<T>(entries: readonly T[]): readonly [readonly T[], readonly T[]] {
  if (entries.length < 2) throw new RangeError(`${entries.length} entries have no halves`);
  const middle = Math.floor(entries.length / 2);
  return [entries.slice(0, middle), entries.slice(middle)];
}
