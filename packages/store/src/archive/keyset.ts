import { Failure } from '@parley/domain';
import { idSchema } from '@parley/protocol';

/** Where a page ended: a time, and the id that tells rows of one time apart. */
export interface Keyset {
  readonly at: number;
  readonly id: string;
}

export interface PageQuery {
  readonly cursor: string | null;
  readonly limit: number;
}

const SHAPE = /^(\d{1,15}):(.{36})$/;

/** A cursor as clients carry it. */
export function writeCursor({ at, id }: Keyset): string {
  return Buffer.from(`${at}:${id}`).toString('base64url');
}

/** Reads a cursor of ours; fails with `INVALID` for any other text. */
export function readCursor(cursor: string): Keyset {
  const [, at, id] = SHAPE.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || !idSchema.safeParse(id).success || id === undefined) {
    throw new Failure('INVALID', 'not a cursor of this list');
  }
  return { at: Number(at), id };
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
