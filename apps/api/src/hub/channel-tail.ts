import { type ChannelView, type FeedEntry, headOf, type Newest, newestAfter } from '@parley/domain';
import { type Place, parsePosition } from '@parley/protocol';
import { EntryRing } from './entry-ring.ts';

const RING_ENTRIES = 256;
const NOTHING: Place = { epoch: 0, n: 0 };

/** The end of a channel as it was delivered on this thread. Empty until it is based on a view. */
export class ChannelTail {
  readonly #ring = new EntryRing(RING_ENTRIES, NOTHING);
  #tip: Place | null = null;
  /** The newest entry at or before the tip. */
  #last: Place = NOTHING;
  #m: number | null = null;
  #newest: Newest | null = null;

  /** The place delivered last; n 0 when that was the end of an older epoch. Another object each time it moves. */
  get tip(): Place | null {
    return this.#tip;
  }

  /** The newest entry at or before the tip, which is the tip unless that is where an older epoch ended; n 0 where there is none. */
  get last(): Place {
    return this.#last;
  }

  /** The tip's count of messages; null where it is not known. */
  get m(): number | null {
    return this.#m;
  }

  /** The newest message that passed here, as it is by now; null when none did since the last break. */
  get newest(): Newest | null {
    return this.#newest;
  }

  /** The first entry after a place; see `EntryRing.after`. */
  after(place: Place): FeedEntry | undefined | 'behind' {
    return this.#tip ? this.#ring.after(place) : 'behind';
  }

  /** Begins anew at a view's head. */
  base(view: ChannelView): Place {
    this.#tip = headOf(view);
    this.#last = view.headPosition === null ? NOTHING : parsePosition(view.headPosition);
    this.#m = view.head.m;
    this.#newest = null;
    this.#ring.reset(this.#tip);
    return this.#tip;
  }

  /** The caller promises that the entry directly follows the tip. */
  append(entry: FeedEntry): void {
    this.#ring.push(entry);
    this.#tip = entry.place;
    this.#last = entry.place;
    this.#m = entry.m;
    this.#newest = newestAfter(this.#newest, entry);
  }

  /** Appends entries that end at `tip`, which may be the beginning of a newer epoch. */
  extend(entries: readonly FeedEntry[], tip: Place, view: ChannelView): void {
    for (const entry of entries) this.append(entry);
    this.#tip = tip;
    if (tip.epoch === view.epoch && tip.n === view.head.n) this.#m = view.head.m;
  }

  /** Whether anything that is kept here names the user. */
  names(userId: string): boolean {
    return this.#newest?.message.senderId === userId || this.#ring.some((entry) => isOf(entry, userId));
  }

  /** Keeps nothing of what was delivered; what comes next follows the tip as before. */
  forget(): void {
    if (this.#tip) this.#ring.reset(this.#tip);
    this.#newest = null;
  }

  /** The newest message may have been taken back. */
  forgetNewest(): void {
    this.#newest = null;
  }
}

/** What an entry does not say itself, the name of a member for one, it says with the user's id. */
function isOf({ actorId, event }: FeedEntry, userId: string): boolean {
  return actorId === userId || (event !== null && JSON.stringify(event).includes(userId));
}
