import * as z from 'zod/mini';

/**
 * Where an entry stands in its channel: `epoch-n`. Within an epoch n is dense from 1; a later epoch sorts after an earlier one.
 * Clients may compare positions; they must not calculate with them.
 */
export type Position = `${number}-${number}`;

/** A position taken apart. */
export interface Place {
  readonly epoch: number;
  readonly n: number;
}

/** Before every entry of every channel: where a feed of an empty channel begins. */
export const ORIGIN: Position = '0-0';

const SHAPE = /^(\d{1,10})-(\d{1,15})$/;

/** The pattern proves what the template type says; zod's own template type would print another schema. */
export const positionSchema = z.string().check(z.maxLength(26), z.regex(SHAPE)) as unknown as z.ZodMiniType<
  Position,
  Position
>;

/** Takes a position apart. Throws a RangeError when the text is not one. */
export function parsePosition(text: string): Place {
  const parts = SHAPE.exec(text);
  if (!parts) throw new RangeError(`not a position: ${text}`);
  return { epoch: Number(parts[1]), n: Number(parts[2]) };
}

export function formatPosition(place: Place): Position {
  return `${place.epoch}-${place.n}`;
}

/** Negative when a stands before b, 0 when they are the same, positive otherwise. */
export function comparePositions(a: string, b: string): number {
  const left = parsePosition(a);
  const right = parsePosition(b);
  return left.epoch - right.epoch || left.n - right.n;
}
