import { idSchema } from '@parley/protocol';
import { Failure } from './failure.ts';

/** Where a page ended: a time, and the id that tells rows of one time apart. */
export interface Keyset {
  readonly at: number;
  readonly id: string;
}

const SHAPE = /^(\d{1,15}):(.{36})$/;

/** A cursor as clients carry it. */
export function writeCursor({ at, id }: Keyset): string {
  return btoa(`${at}:${id}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Reads a cursor of ours; fails with `INVALID` for any other text. */
export function readCursor(cursor: string): Keyset {
  const [, at, id] = SHAPE.exec(decoded(cursor)) ?? [];
  if (at === undefined || !idSchema.safeParse(id).success || id === undefined) {
    throw new Failure('INVALID', 'not a cursor of this list');
  }
  return { at: Number(at), id };
}

function decoded(cursor: string): string {
  try {
    return atob(cursor.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}
