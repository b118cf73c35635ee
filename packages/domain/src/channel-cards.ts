import { comparePositions, type User } from '@parley/protocol';
import { headKey, isAsOf, versionKey } from './copy-keys.ts';
import type { StoredMessage } from './message-state.ts';
import type { Archive, ChannelRow } from './ports/archive.ts';
import type { ChannelView, ChannelViews } from './ports/channel-view.ts';
import type { Clock } from './ports/clock.ts';
import type { ChannelCard, Copies, Loaded } from './ports/copies.ts';

export interface SummaryDeps {
  readonly archive: Pick<Archive, 'channelsOf' | 'channelsById' | 'unread' | 'users'>;
  readonly views: Pick<ChannelViews, 'views' | 'last' | 'states'>;
  readonly copies: Copies;
  readonly clock: Pick<Clock, 'now'>;
}

/** A channel that the user is in, as far as it is known: by Postgres' row, by the log store's view, or by both. */
export interface Seated {
  readonly channelId: string;
  readonly view: ChannelView | null;
  readonly row: ChannelRow | null;
  readonly muted: boolean;
}

/** One with a view. */
export interface Warm extends Seated {
  readonly view: ChannelView;
  /** The newest message of the window. */
  readonly live: StoredMessage | null;
  /** Nothing but `live` is needed to know the last message. */
  readonly told: boolean;
}

/** What stands for a row: the card, the profiles on it and the last message. */
export interface Dealt {
  readonly card: ChannelCard;
  readonly members: readonly User[];
  readonly lastMessage: StoredMessage | null;
}

/** For seats without a row: copies where there are any, and rows, all read by one statement, where there are none. */
export async function dealCards(
  deps: SummaryDeps,
  userId: string,
  seats: readonly Warm[],
): Promise<{ dealt: ReadonlyMap<string, Dealt>; rows: ReadonlyMap<string, ChannelRow> }> {
  const bare = seats.filter(({ row }) => row === null);
  const rows = new Map<string, ChannelRow>();
  const read = async (wanted: readonly Warm[]): Promise<void> => {
    const channelIds = wanted.map((seat) => seat.channelId).filter((id) => !rows.has(id));
    if (channelIds.length === 0) return;
    const found = await deps.archive.channelsById(userId, { channelIds, count: false, withSet: false });
    for (const row of found.items) rows.set(row.channel.id, row);
  };
  const silent = bare.filter(({ told, view }) => !told && view.headPosition !== null);
  const byCard = new Map(bare.map((seat) => [versionKey(seat.channelId, seat.view), seat]));
  const cards = await deps.copies.many('channels', [...byCard.keys()], async (missing) => {
    // Those whose last message may be asked for next come along: it is the same statement.
    await read([...seatsAt(byCard, missing), ...silent]);
    return loadedOf(seatsAt(byCard, missing), rows, cardOf);
  });
  const byTip = new Map(silent.map((seat) => [headKey(seat.channelId, seat.view), seat]));
  const tips = await deps.copies.many('tips', [...byTip.keys()], async (missing) => {
    await read(seatsAt(byTip, missing));
    return loadedOf(seatsAt(byTip, missing), rows, tipOf);
  });
  const carded = bare.flatMap((seat) => {
    const card = rows.has(seat.channelId) ? undefined : cards.get(versionKey(seat.channelId, seat.view));
    return card ? [{ seat, card }] : [];
  });
  const profiles = await profilesOf(
    deps,
    carded.map(({ card }) => card),
  );
  const dealt = carded.map(({ seat, card }): [string, Dealt] => {
    const members = card.memberIds.map((id) => profiles.get(id)).filter((user) => user !== undefined);
    const lastMessage = seat.told ? seat.live : newer(tips.get(headKey(seat.channelId, seat.view)) ?? null, seat.live);
    return [seat.channelId, { card, members, lastMessage }];
  });
  return { dealt: new Map(dealt), rows };
}

function seatsAt(byKey: ReadonlyMap<string, Warm>, keys: readonly string[]): Warm[] {
  return keys.map((key) => byKey.get(key)).filter((seat) => seat !== undefined);
}

type Keyed<T> = readonly [key: string, loaded: Loaded<T>];

function loadedOf<T>(
  seats: readonly Warm[],
  rows: ReadonlyMap<string, ChannelRow>,
  read: (seat: Warm, row: ChannelRow) => Keyed<T>,
): Map<string, Loaded<T>> {
  return new Map(
    seats.flatMap((seat) => {
      const row = rows.get(seat.channelId);
      return row ? [read(seat, row)] : [];
    }),
  );
}

function cardOf({ channelId, view }: Warm, row: ChannelRow): Keyed<ChannelCard> {
  const value = { channel: row.channel, memberIds: row.members.map((user) => user.id) };
  return [versionKey(channelId, view), { value, keep: isAsOf(row.asOf, view) }];
}

function tipOf({ channelId, view }: Warm, row: ChannelRow): Keyed<StoredMessage | null> {
  const keep = row.head === view.headPosition && row.asOf.epoch === view.epoch;
  return [headKey(channelId, view), { value: row.lastMessage, keep }];
}

async function profilesOf({ archive }: SummaryDeps, cards: readonly ChannelCard[]): Promise<Map<string, User>> {
  const userIds = [...new Set(cards.flatMap((card) => card.memberIds))];
  const users = userIds.length > 0 ? await archive.users(userIds) : [];
  return new Map(users.map((user) => [user.id, user]));
}

/** Rows that came with the list are the copies of the next one. */
export async function keepRows({ copies }: Pick<SummaryDeps, 'copies'>, seats: readonly Warm[]): Promise<void> {
  const kept = seats.flatMap((seat): [string, ChannelCard][] => {
    if (!seat.row) return [];
    const [key, { value, keep }] = cardOf(seat, seat.row);
    return keep ? [[key, value]] : [];
  });
  await copies.keep('channels', new Map(kept));
}

/** The later of two messages; what Postgres has wins over a line at the same place. */
export function newer(stored: StoredMessage | null, live: StoredMessage | null): StoredMessage | null {
  if (!stored || !live) return stored ?? live;
  return comparePositions(live.position, stored.position) > 0 ? live : stored;
}
