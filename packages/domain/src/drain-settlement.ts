import { formatPosition } from '@parley/protocol';
import { headsOf, spotOf } from './drain-batch.ts';
import type { WritableEntry } from './drain-entry.ts';
import { formatPlace, type HolePayload, LINE_VERSION, type LogPlace, NOTICE_KINDS } from './log-line.ts';
import type { ChannelSettlement, EntrySpot, Hole } from './ports/drain.ts';

/** What the log store is told of one partition. */
export interface PartitionSettlement {
  readonly partition: number;
  readonly toEpoch: number;
  readonly toK: number;
  readonly channels: readonly ChannelSettlement[];
}

/** The reason that a hole notice gives for an entry whose twin stands. */
const SUPERSEDED = 'superseded';
/** The reason that it gives where the worker that knew better is gone. */
const REJECTED = 'rejected';

interface FoundHole {
  readonly channelId: string;
  readonly place: LogPlace;
  readonly isMessage: boolean;
  readonly notice: string;
}

/**
 * What to settle once these entries are committed, by partition. `holes` are what Postgres made holes of; rejected entries are holes by
 * themselves. A mark and its holes are of the epoch of the channel's last entry; the notices of older epochs are published all the same.
 */
export function settlementsOf(entries: readonly WritableEntry[], holes: readonly Hole[]): PartitionSettlement[] {
  const byPosition = new Map(holes.map((hole) => [`${hole.channelId} ${hole.position}`, hole]));
  const partitions = Map.groupBy(entries, (entry) => entry.logged.partition);
  return [...partitions.values()].map((own) => settlePartition(own, byPosition));
}

function settlePartition(entries: readonly WritableEntry[], holes: ReadonlyMap<string, Hole>): PartitionSettlement {
  const found = entries.map((entry) => holeOf(entry, holes)).filter((hole) => hole !== null);
  const byChannel = Map.groupBy(found, (hole) => hole.channelId);
  const channels = headsOf(entries).map(({ channelId, place }): ChannelSettlement => {
    const own = byChannel.get(channelId) ?? [];
    return {
      channelId,
      upTo: place,
      holes: own
        .filter((hole) => hole.place.epoch === place.epoch)
        .map(({ place: { n, m }, isMessage }) => ({ n, m: isMessage ? m : 0 })),
      notices: own.map((hole) => hole.notice),
    };
  });
  const last = entries.at(-1)?.logged;
  if (!last) throw new RangeError('a partition without entries has nothing to settle');
  return { partition: last.partition, toEpoch: last.epoch, toK: last.k, channels };
}

function holeOf(entry: WritableEntry, holes: ReadonlyMap<string, Hole>): FoundHole | null {
  const spot = spotOf(entry);
  if (!spot) return null;
  const { channelId, place } = spot;
  if (entry.type === 'rejected') {
    const { senderId, operationId, reason } = entry;
    const notice = noticeOf(place, { senderId, clientMsgId: operationId, by: null, reason });
    return { channelId, place, isMessage: entry.hole?.isMessage ?? false, notice };
  }
  const hole = holes.get(`${channelId} ${formatPosition(place)}`);
  if (!hole) return null;
  const isMessage = entry.type === 'created';
  const senderId = isMessage ? entry.payload.senderId : entry.payload.actorId;
  const clientMsgId = isMessage ? entry.payload.clientMsgId : entry.payload.id;
  const reason = hole.by === null ? REJECTED : SUPERSEDED;
  return { channelId, place, isMessage, notice: noticeOf(place, { senderId, clientMsgId, by: hole.by, reason }) };
}

function noticeOf(place: LogPlace, payload: HolePayload): string {
  return `${LINE_VERSION} ${NOTICE_KINDS.hole} ${formatPlace(place)} ${JSON.stringify(payload)}`;
}

/** The entries of a lost settlement that may be holes, as Postgres is asked for them. */
export function placesOf(entries: readonly WritableEntry[]): EntrySpot[] {
  return entries
    .map(spotOf)
    .filter((spot) => spot !== null)
    .map(({ channelId, place }) => ({ channelId, position: formatPosition(place) }));
}
