import type { ChannelView } from '@parley/domain';
import { formatPosition, type Place, type Position, parsePosition } from '@parley/protocol';

interface EpochMarks {
  readonly epoch: number;
  n: number;
  readonly holes: Set<number>;
}

const begin = (epoch: number): EpochMarks => ({ epoch, n: 0, holes: new Set() });

/** How far a channel's current epoch is in Postgres, and the holes that were told. Only rises; the epoch before is remembered. */
export class Marks {
  #now = begin(0);
  #before = begin(0);

  get epoch(): number {
    return this.#now.epoch;
  }

  /** Everything of the epoch up to here is settled. */
  get n(): number {
    return this.#now.n;
  }

  /** Everything of that epoch up to here is settled, as far as this thread was told. */
  settledIn(epoch: number): number {
    return this.#of(epoch)?.n ?? 0;
  }

  holes(): Position[] {
    return [...this.#now.holes].sort((a, b) => a - b).map((n) => formatPosition({ epoch: this.epoch, n }));
  }

  /** Whether this place was told to be a hole. */
  isHole(place: Place): boolean {
    return this.#of(place.epoch)?.holes.has(place.n) ?? false;
  }

  /** Takes a mark and the holes that came with it. */
  rise(mark: Place, holes: readonly Position[]): void {
    const marks = this.#enter(mark.epoch);
    if (marks) marks.n = Math.max(marks.n, mark.n);
    for (const hole of holes) this.hole(parsePosition(hole));
  }

  hole(place: Place): void {
    this.#enter(place.epoch)?.holes.add(place.n);
  }

  /**
   * Takes the mark of a view of this epoch or a newer one, and those of its holes that stand where something was delivered: at or below
   * `tipN`. Says what of it is news within the epoch.
   */
  look(view: ChannelView, tipN: number): { rose: boolean; untold: boolean } {
    const known = view.epoch === this.epoch;
    const rose = known && view.persistedN > this.n;
    const holes = view.holes.filter((hole) => hole.n <= tipN);
    const untold = known && holes.some((hole) => !this.#now.holes.has(hole.n));
    this.rise({ epoch: view.epoch, n: view.persistedN }, []);
    for (const hole of holes) this.hole({ epoch: view.epoch, n: hole.n });
    return { rose, untold };
  }

  /** Whether the entry at a place came to Postgres: null when that is not known yet. */
  says(place: Place): boolean | null {
    if (place.epoch < this.epoch) return false;
    if (place.epoch > this.epoch) return null;
    if (this.#now.holes.has(place.n)) return false;
    return place.n <= this.n ? true : null;
  }

  #of(epoch: number): EpochMarks | undefined {
    return [this.#now, this.#before].find((marks) => marks.epoch === epoch);
  }

  #enter(epoch: number): EpochMarks | undefined {
    if (epoch > this.#now.epoch) {
      this.#before = this.#now;
      this.#now = begin(epoch);
    }
    return this.#of(epoch);
  }
}
