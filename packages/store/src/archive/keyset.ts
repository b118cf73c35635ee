import { type Keyset, writeCursor } from '@parley/domain';

export { readCursor, writeCursor } from '@parley/domain';

export interface PageQuery {
  readonly cursor: string | null;
  readonly limit: number;
}

/** The statement was asked for one row more than the page holds: that row tells whether there is another page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { item, keyset }: { item: (row: Row) => Item; keyset: (row: Row) => Keyset },
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), nextCursor: last && rows.length > limit ? writeCursor(keyset(last)) : null };
}
