import { type Place, type Position, parsePosition } from '@parley/protocol';

/** Up to here everything of one epoch is in Postgres, except the holes. */
export interface PersistedMark {
  readonly upTo: Place;
  readonly holes: ReadonlySet<number>;
}

/** Reads a mark off the wire. Holes of another epoch say nothing about this one. */
export function markOf(upTo: Position, holes: readonly Position[]): PersistedMark {
  const place = parsePosition(upTo);
  const ofEpoch = holes.map(parsePosition).filter((hole) => hole.epoch === place.epoch);
  return { upTo: place, holes: new Set(ofEpoch.map((hole) => hole.n)) };
}

/** Both marks in one: the newer epoch wins, within an epoch the higher place and the holes of both. */
export function joinMarks(known: PersistedMark | null, told: PersistedMark): PersistedMark {
  if (!known || told.upTo.epoch > known.upTo.epoch) return told;
  if (told.upTo.epoch < known.upTo.epoch) return known;
  const upTo = told.upTo.n > known.upTo.n ? told.upTo : known.upTo;
  return { upTo, holes: new Set([...known.holes, ...told.holes]) };
}

/** What a mark says of a position: `above` also when it is of another epoch. */
export function judge(mark: PersistedMark, position: Position): 'persisted' | 'hole' | 'above' {
  const { epoch, n } = parsePosition(position);
  if (epoch !== mark.upTo.epoch || n > mark.upTo.n) return 'above';
  return mark.holes.has(n) ? 'hole' : 'persisted';
}
