/** A place in a channel: the parts of a position. */
export interface Place {
  readonly epoch: number;
  readonly n: number;
}

/** The parts of `epoch-n`. */
export function placeOf(position: string): Place {
  const [epoch = '0', n = '0'] = position.split('-');
  return { epoch: Number(epoch), n: Number(n) };
}

/** A position of these parts. */
export const positionAt = ({ epoch, n }: Place): `${number}-${number}` => `${epoch}-${n}`;

/** Negative when a stands before b, 0 when they are the same. */
export const compare = (a: Place, b: Place): number => a.epoch - b.epoch || a.n - b.n;

/** What is wrong with what all feeds were given; nothing when every number but the first two is 0. */
export interface Tally {
  readonly feeds: number;
  readonly deliveries: number;
  /** Messages that a feed should have had and had not. */
  readonly missing: number;
  /** Messages that a feed had more than once. */
  readonly repeated: number;
  /** Messages that came after one that stands behind them. */
  readonly disordered: number;
  /** Places where one feed, or an answer, had another message than the others. */
  readonly different: number;
  /** Messages that stand at more than one place. */
  readonly doubled: number;
  /** Times that a feed said that it could not go on from where it was. */
  readonly resyncs: number;
}

interface Entry extends Place {
  readonly clientMsgId: string;
}

interface Feed {
  readonly channelId: string;
  /** The head when it opened: what it owes begins behind it. */
  readonly from: Place;
  last: Place;
  received: number;
  /** Up to where it has to have everything; null while it is open. */
  until: Place | null;
}

/** One reader's look at one channel, as the ledger books it. */
export interface BookedFeed {
  /** The message that the feed has given last, or the head that it opened at. */
  readonly last: Place;
  got(clientMsgId: string, position: string): void;
  resync(): void;
  /** Whether it has everything that the ledger knows of its channel. */
  caughtUp(): boolean;
  /** It need not get anything more. What the ledger knows by now it must have. */
  close(): void;
}

/** Books what was answered and what each feed was given, and holds them against each other: once, whole, in order. */
export class Ledger {
  readonly #entries = new Map<string, Entry[]>();
  readonly #placeOfMessage = new Map<string, Place>();
  readonly #feeds: Feed[] = [];
  #repeated = 0;
  #disordered = 0;
  #different = 0;
  #doubled = 0;
  #resyncs = 0;

  /** A message stands at this position: an answer said so, or a feed. */
  stands(channelId: string, clientMsgId: string, position: string): void {
    const place = placeOf(position);
    const present = this.#placeOfMessage.get(clientMsgId);
    if (present) {
      if (compare(present, place) !== 0) this.#doubled++;
      return;
    }
    this.#placeOfMessage.set(clientMsgId, place);
    const entries = this.#entriesOf(channelId);
    const at = firstBehind(entries, place);
    const before = entries[at - 1];
    if (before && compare(before, place) === 0) this.#different++;
    else entries.splice(at, 0, { ...place, clientMsgId });
  }

  /** Books a feed that has just opened at `head`; with `from`, one that goes on from there. */
  open(channelId: string, head: string | null, from: Place = placeOf(head ?? '0-0')): BookedFeed {
    const feed: Feed = { channelId, from, last: from, received: 0, until: null };
    this.#feeds.push(feed);
    return {
      get last() {
        return feed.last;
      },
      got: (clientMsgId, position) => this.#got(feed, clientMsgId, placeOf(position)),
      resync: () => {
        this.#resyncs++;
      },
      caughtUp: () => compare(feed.last, this.#head(channelId)) >= 0,
      close: () => {
        const head = this.#head(channelId);
        feed.until ??= compare(head, feed.last) > 0 ? head : feed.last;
      },
    };
  }

  /** Everything so far. Right only when nothing is under way. */
  tally(): Tally {
    return {
      feeds: this.#feeds.length,
      deliveries: this.#feeds.reduce((all, { received }) => all + received, 0),
      missing: this.#feeds.reduce((all, feed) => all + Math.max(0, this.#owed(feed) - feed.received), 0),
      repeated: this.#repeated,
      disordered: this.#disordered,
      different: this.#different,
      doubled: this.#doubled,
      resyncs: this.#resyncs,
    };
  }

  /** Messages that stand behind a place. */
  countBehind(channelId: string, place: Place): number {
    const entries = this.#entriesOf(channelId);
    return entries.length - firstBehind(entries, place);
  }

  /** Of two answers to one sender in one channel the later must stand behind the earlier. */
  answered(before: Place | undefined, after: Place): void {
    if (before && compare(before, after) >= 0) this.#disordered++;
  }

  #got(feed: Feed, clientMsgId: string, place: Place): void {
    this.stands(feed.channelId, clientMsgId, positionAt(place));
    const order = compare(place, feed.last);
    if (order === 0) this.#repeated++;
    else if (order < 0) this.#disordered++;
    else {
      feed.last = place;
      feed.received++;
    }
  }

  #owed(feed: Feed): number {
    const entries = this.#entriesOf(feed.channelId);
    return firstBehind(entries, feed.until ?? feed.last) - firstBehind(entries, feed.from);
  }

  #head(channelId: string): Place {
    return this.#entriesOf(channelId).at(-1) ?? { epoch: 0, n: 0 };
  }

  #entriesOf(channelId: string): Entry[] {
    const present = this.#entries.get(channelId);
    if (present) return present;
    const entries: Entry[] = [];
    this.#entries.set(channelId, entries);
    return entries;
  }
}

/** The index of the first entry that stands behind a place. Nearly always the place is near the end. */
function firstBehind(entries: readonly Entry[], place: Place): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry && compare(entry, place) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
