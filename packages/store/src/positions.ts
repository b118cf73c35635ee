import { formatPosition, type Position } from '@parley/protocol';

/** `epoch, n, at` of a cursor, as statements give and take it; zeros are never. */
export type CursorTriple = readonly [epoch: number, n: number, at: number];

/** The position of two columns that are null together. */
export function positionOrNull(epoch: number | null, n: number | null): Position | null {
  return epoch === null || n === null ? null : formatPosition({ epoch, n });
}

/** Where a cursor stands; null when it never moved. */
export function cursorPosition([epoch, n]: CursorTriple): Position | null {
  return epoch === 0 ? null : formatPosition({ epoch, n });
}
