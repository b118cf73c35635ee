import type { Answer, Channel, Member } from '@parley/protocol';
import type { StoredMessage } from '../message-state.ts';
import type { MessagesFound } from './finding.ts';

/** One channel among a user's own, with what is his alone. */
export interface OwnChannel {
  readonly id: string;
  readonly createdAt: number;
  readonly mutedUntil: number | null;
}

/** A channel as all of its members see it. `memberIds`: the first eight. */
export interface ChannelCard {
  readonly channel: Channel;
  readonly memberIds: readonly string[];
}

/** A member without what his profile says. */
export type Seat = Omit<Member, 'user'>;

/** What is kept of Postgres' answers, by the name of the cache. */
export interface CopyShapes {
  /** By user; null: he is in too many channels to keep them. */
  readonly sets: readonly OwnChannel[] | null;
  /** By channel, epoch and version. */
  readonly channels: ChannelCard;
  /** By channel, epoch and head: the last message when everything up to this head is persisted. */
  readonly tips: StoredMessage | null;
  /** By channel, epoch and version, and page. */
  readonly members: { readonly items: readonly Seat[]; readonly nextCursor: string | null };
  /** By user. */
  readonly users: Member['user'];
  /** By user: the ids of those whom he shares a channel with. */
  readonly contacts: readonly string[];
  /** By channel. */
  readonly stats: Answer<'channel.stats'>;
  /** By user and question. */
  readonly search: MessagesFound;
  /** By channel, epoch, head and page. */
  readonly pages: { readonly items: readonly StoredMessage[]; readonly hasBefore: boolean; readonly hasAfter: boolean };
}

export type CopyName = keyof CopyShapes;

/** What a source answered. */
export interface Loaded<T> {
  readonly value: T;
  /** False: it is right for this caller, and not (or not surely) what its key promises. */
  readonly keep: boolean;
}

/**
 * Copies of what Postgres says, each under a key that changes with it, or forgotten by `changed`. Any copy may be missing at any time,
 * and a store of copies that is away has none: then the source is asked. Never throws but what `load` throws.
 */
export interface Copies {
  /** The copy, or what `load` reads. Calls for the same key share one load. */
  one<K extends CopyName>(name: K, key: string, load: () => Promise<Loaded<CopyShapes[K]>>): Promise<CopyShapes[K]>;
  /**
   * The same for many keys: `load` is called for those that are missing, and what it leaves out is not there for this caller. It is called
   * once more where it waited for another caller's load that left something out.
   */
  many<K extends CopyName>(
    name: K,
    keys: readonly string[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, Loaded<CopyShapes[K]>>>,
  ): Promise<Map<string, CopyShapes[K]>>;
  /** Keeps what was read on the way to something else, where the key alone says what it is true for. */
  keep<K extends Exclude<CopyName, ClearableName>>(name: K, values: ReadonlyMap<string, CopyShapes[K]>): Promise<void>;
  /**
   * Forgets copies, and what is being read for them now is not kept. Call it when Postgres has the change. While the store of copies is
   * away it is tried again, and this thread goes without these copies until then.
   */
  changed(name: CopyName, keys: readonly string[]): Promise<void>;
  /** The same for all copies of a cache that can be cleared, for what is so rare that nobody keeps a list of their keys. */
  clear(name: ClearableName): Promise<void>;
}

/** Caches of what somebody said, or of whom somebody knows: an erasure must reach them. */
export type ClearableName = 'tips' | 'pages' | 'search' | 'contacts';

/** Hears whose set of channels has changed. */
export interface ChannelSets {
  /** Call it when Postgres has the change: whoever reads afterwards reads what is so now. Never throws. */
  changed(userIds: readonly string[]): Promise<void>;
}
