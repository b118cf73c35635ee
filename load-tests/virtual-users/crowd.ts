import { zipfShares } from './zipf.ts';

/** One channel of a planned crowd; users are numbers. */
export interface PlannedChannel {
  readonly owner: number;
  /** The owner is among them. */
  readonly members: readonly number[];
  /** Of all messages of the crowd, the part that is said here. */
  readonly share: number;
}

/** What a crowd is like. */
export interface CrowdShape {
  readonly users: number;
  /** The biggest channel, and how fast the others get smaller: the r-th has membersMax / r^sizeExponent. */
  readonly membersMax: number;
  readonly sizeExponent: number;
  /** The r-th channel's share of all messages goes with 1/r^activityExponent. */
  readonly activityExponent: number;
  readonly channelsPerUser: number;
}

/** A user may create as many an hour, by the defaults of the limits. */
const OWNED_MAX = 5;

/** Plans channels until the users have on average as many as asked for. Big channels are busy ones. */
export function planCrowd(shape: CrowdShape, random: () => number): PlannedChannel[] {
  const membersMax = Math.min(shape.membersMax, shape.users);
  const sizes: number[] = [];
  for (let left = shape.users * shape.channelsPerUser; left > 0; left -= sizes.at(-1) ?? left) {
    sizes.push(Math.max(2, Math.floor(membersMax / (sizes.length + 1) ** shape.sizeExponent)));
  }
  const shares = zipfShares(sizes.length, shape.activityExponent);
  const owned = new Array<number>(shape.users).fill(0);
  const deck = new Deck(shape.users, random);
  return sizes.map((size, rank) => {
    const members = deck.draw(size);
    const owner = members.reduce((best, user) => ((owned[user] ?? 0) < (owned[best] ?? 0) ? user : best));
    owned[owner] = (owned[owner] ?? 0) + 1;
    if ((owned[owner] ?? 0) > OWNED_MAX) throw new RangeError('too few users for so many channels');
    return { owner, members, share: shares[rank] ?? 0 };
  });
}

/** Users in random order, each once before anybody comes again: so nobody is left without a channel. */
class Deck {
  readonly #size: number;
  readonly #random: () => number;
  #cards: number[] = [];

  constructor(size: number, random: () => number) {
    this.#size = size;
    this.#random = random;
  }

  /** As many different users, or all when there are fewer. */
  draw(count: number): number[] {
    const hand = new Set<number>();
    const again: number[] = [];
    while (hand.size < Math.min(count, this.#size)) {
      const card = this.#next();
      if (hand.has(card)) again.push(card);
      else hand.add(card);
    }
    this.#cards.push(...again);
    return [...hand];
  }

  #next(): number {
    if (this.#cards.length === 0) {
      this.#cards = Array.from({ length: this.#size }, (_, user) => user);
      for (let last = this.#size - 1; last > 0; last--) {
        const other = Math.floor(this.#random() * (last + 1));
        [this.#cards[last], this.#cards[other]] = [this.#cards[other] ?? 0, this.#cards[last] ?? 0];
      }
    }
    return this.#cards.pop() ?? 0;
  }
}

/** How often each user sends in each of his channels, a second, when the crowd sends `perSecond`. Nobody sends faster than `most`. */
export function sendRates(
  channels: readonly PlannedChannel[],
  users: number,
  rate: { readonly perSecond: number; readonly most: number },
): ReadonlyMap<number, number>[] {
  const rates = Array.from({ length: users }, () => new Map<number, number>());
  for (const [index, { members, share }] of channels.entries()) {
    for (const user of members) rates[user]?.set(index, (share * rate.perSecond) / members.length);
  }
  return rates.map((own) => {
    const sum = [...own.values()].reduce((all, one) => all + one, 0);
    return sum <= rate.most ? own : new Map([...own].map(([channel, one]) => [channel, (one / sum) * rate.most]));
  });
}
