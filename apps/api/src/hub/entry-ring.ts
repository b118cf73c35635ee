import { comparePlaces, type FeedEntry } from '@parley/domain';
import type { Place } from '@parley/protocol';

/** The newest entries of a channel, without a gap: what feeds that keep up are served from. Bounded, and shared by all of them. */
export class EntryRing {
  readonly #capacity: number;
  #floor: Place;
  /** The entry of number i is at i modulo the capacity: what falls out is overwritten, and kept by nobody. */
  #entries: FeedEntry[] = [];
  /** Of entries pushed since the last reset: the newest is number `pushed` − 1. */
  #pushed = 0;

  constructor(capacity: number, floor: Place) {
    this.#capacity = capacity;
    this.#floor = floor;
  }

  /** Empties it: what comes next follows `floor` directly. */
  reset(floor: Place): void {
    this.#floor = floor;
    this.#entries = [];
    this.#pushed = 0;
  }

  /** The caller promises that the entry directly follows the one before. */
  push(entry: FeedEntry): void {
    const at = this.#pushed++ % this.#capacity;
    this.#floor = this.#entries[at]?.place ?? this.#floor;
    this.#entries[at] = entry;
  }

  /** The first entry after a place, `undefined` when there is none yet, `'behind'` when the ring does not reach back to it. */
  after(place: Place): FeedEntry | undefined | 'behind' {
    if (comparePlaces(place, this.#floor) < 0) return 'behind';
    let high = this.#pushed;
    let low = Math.max(0, high - this.#capacity);
    // Nearly everybody stands at the newest or the one before.
    const newest = this.#at(high - 1);
    if (high === low || !newest || comparePlaces(newest.place, place) <= 0) return undefined;
    const before = high - low > 1 ? this.#at(high - 2) : undefined;
    if (before && comparePlaces(before.place, place) <= 0) return newest;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#at(middle);
      if (entry && comparePlaces(entry.place, place) <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#at(low);
  }

  some(is: (entry: FeedEntry) => boolean): boolean {
    return this.#entries.some(is);
  }

  #at(number: number): FeedEntry | undefined {
    return this.#entries[number % this.#capacity];
  }
}
