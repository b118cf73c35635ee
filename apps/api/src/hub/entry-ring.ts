import { comparePlaces, type FeedEntry } from '@parley/domain';
import type { Place } from '@parley/protocol';

/** The newest entries of a channel, without a gap: what feeds that keep up are served from. Bounded, and shared by all of them. */
export class EntryRing {
  readonly #capacity: number;
  #floor: Place;
  #entries: FeedEntry[] = [];
  /** Index of the oldest entry that still counts: cutting the array on every push would copy it each time. */
  #start = 0;

  constructor(capacity: number, floor: Place) {
    this.#capacity = capacity;
    this.#floor = floor;
  }

  /** Empties it: what comes next follows `floor` directly. */
  reset(floor: Place): void {
    this.#floor = floor;
    this.#entries = [];
    this.#start = 0;
  }

  /** The caller promises that the entry directly follows the one before. */
  push(entry: FeedEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length - this.#start <= this.#capacity) return;
    this.#floor = this.#entries[this.#start]?.place ?? this.#floor;
    this.#start++;
    if (this.#start < this.#capacity) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }

  /** The first entry after a place, `undefined` when there is none yet, `'behind'` when the ring does not reach back to it. */
  after(place: Place): FeedEntry | undefined | 'behind' {
    if (comparePlaces(place, this.#floor) < 0) return 'behind';
    let low = this.#start;
    let high = this.#entries.length;
    // Nearly everybody stands at the newest or the one before.
    const newest = this.#entries[high - 1];
    if (high === low || !newest || comparePlaces(newest.place, place) <= 0) return undefined;
    const before = high - low > 1 ? this.#entries[high - 2] : undefined;
    if (before && comparePlaces(before.place, place) <= 0) return newest;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry && comparePlaces(entry.place, place) <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low];
  }

  some(is: (entry: FeedEntry) => boolean): boolean {
    return this.#entries.some((entry, i) => i >= this.#start && is(entry));
  }
}
