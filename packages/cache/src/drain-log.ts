import {
  type BacklogCount,
  type ChannelSettlement,
  type DrainLog,
  formatPlace,
  type LoggedEntry,
  type PartitionCursor,
  type PartitionRead,
  parseLine,
  type ReadCursorRow,
} from '@parley/domain';
import { parsePosition } from '@parley/protocol';
import type { Epochs } from './epochs.ts';
import { placeOf } from './header.ts';
import { cursorsKey, epochKey, headerKey, type Keys, logKey, statesKey, windowKey } from './keys.ts';
import { type LogStore, replies } from './log-store.ts';
import { readScript } from './script.ts';

interface RedisDrainLogOptions {
  readonly store: LogStore;
  readonly epochs: Epochs;
  readonly keys: Keys;
}

type StreamEntry = [id: string, fields: string[]];

const SETTLE = readScript('settle');
const FLUSHED = readScript('flushed');

/** The log store as a worker sees it. */
export class RedisDrainLog implements DrainLog, BacklogCount {
  /** Opens a new epoch where the store's word and Postgres' differ. */
  readonly renew: () => Promise<void>;
  readonly #store: LogStore;
  readonly #keys: Keys;

  constructor({ store, epochs, keys }: RedisDrainLogOptions) {
    this.renew = epochs.renew;
    this.#store = store;
    this.#keys = keys;
  }

  async read(cursors: readonly PartitionCursor[], count: number): Promise<PartitionRead[]> {
    if (cursors.length === 0) return [];
    const found = await this.#store.read((redis) => {
      const pipeline = redis.pipeline();
      for (const { partition, readEpoch, readK } of cursors) {
        const stem = this.#stem(partition);
        // The epoch first: entries that come with it cannot be of a later one that nobody knows of.
        pipeline.get(epochKey(stem)).xrange(logKey(stem), `(${readEpoch}-${readK}`, '+', 'COUNT', count);
      }
      return replies(pipeline);
    });
    return cursors.map(({ partition }, i) => {
      const [epoch, entries] = [found[2 * i] as string | null, found[2 * i + 1] as StreamEntry[]];
      return {
        partition,
        epoch: epoch === null ? null : Number(epoch),
        entries: entries.map((entry) => entryOf(partition, entry)),
      };
    });
  }

  async oldestAgeMs(partitions: readonly number[]): Promise<(number | null)[]> {
    const [time, ...oldest] = await this.#store.read((redis) => {
      const pipeline = redis.pipeline().time();
      for (const partition of partitions) pipeline.xrange(logKey(this.#stem(partition)), '-', '+', 'COUNT', 1);
      return replies(pipeline);
    });
    const [seconds, microseconds] = time as [string | number, string | number];
    const now = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
    return oldest.map((entries) => {
      const [entry] = entries as StreamEntry[];
      if (!entry) return null;
      // An entry that nobody can read is as old as can be: somebody must look at it.
      const at = parseLine(entry[1][1] ?? '')?.place.at ?? 0;
      return Math.max(0, now - at);
    });
  }

  async backlog(): Promise<{ waiting: number; added: number }> {
    const found = await this.#store.read(async (redis) => {
      const pipeline = redis.pipeline();
      for (const stem of this.#keys.stems) pipeline.xinfo('STREAM', logKey(stem));
      return (await pipeline.exec()) ?? [];
    });
    let [waiting, added] = [0, 0];
    for (const [error, reply] of found) {
      // Nothing was ever accepted there, or the store has forgotten.
      if (error?.message.includes('no such key')) continue;
      if (error) throw error;
      waiting += fieldOf(reply, 'length');
      added += fieldOf(reply, 'entries-added');
    }
    return { waiting, added };
  }

  async settle(settlement: {
    partition: number;
    toEpoch: number;
    toK: number;
    channels: readonly ChannelSettlement[];
  }): Promise<void> {
    const { partition, toEpoch, toK, channels } = settlement;
    const stem = this.#stem(partition);
    const keys = [logKey(stem)];
    const args: (string | number)[] = [`${toEpoch}-${toK + 1}`];
    for (const { channelId, upTo, holes, notices } of channels) {
      keys.push(headerKey(stem, channelId), windowKey(stem, channelId), statesKey(stem, channelId));
      const gone = holes.map(({ n, m }) => `${n}:${m}`).join(' ');
      args.push(upTo.epoch, upTo.n, upTo.m, upTo.at, gone, notices.length, ...notices);
    }
    await this.#store.eval(SETTLE, { keys, args });
  }

  async dirtyCursors(partition: number, count: number): Promise<ReadCursorRow[]> {
    const key = cursorsKey(this.#stem(partition));
    const flat = await this.#store.read((redis) => redis.hrandfield(key, count, 'WITHVALUES'));
    return rowsOf(flat as string[]);
  }

  async cursorsFlushed(partition: number, rows: readonly ReadCursorRow[]): Promise<void> {
    if (rows.length === 0) return;
    const args = rows.flatMap((row) => [`${row.channelId} ${row.userId}`, placesOf(row)]);
    await this.#store.eval(FLUSHED, { keys: [cursorsKey(this.#stem(partition))], args });
  }

  #stem(partition: number): string {
    const stem = this.#keys.stems[partition];
    if (stem === undefined) throw new RangeError(`not a partition: ${partition}`);
    return stem;
  }
}

/** A number of a flat reply `name, value, …`. */
function fieldOf(reply: unknown, name: string): number {
  const flat = reply as unknown[];
  return Number(flat[flat.indexOf(name) + 1]);
}

function entryOf(partition: number, [id, fields]: StreamEntry): LoggedEntry {
  const { epoch, n } = parsePosition(id);
  return { partition, epoch, k: n, line: fields[1] ?? '' };
}

/** From `<channel> <user>`, `read place,delivered place`, … */
function rowsOf(flat: readonly string[]): ReadCursorRow[] {
  const rows: ReadCursorRow[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [channelId = '', userId = ''] = (flat[i] ?? '').split(' ');
    const [read, delivered] = (flat[i + 1] ?? '').split(',');
    rows.push({ channelId, userId, readTo: placeOf(read), deliveredTo: placeOf(delivered) });
  }
  return rows;
}

function placesOf({ readTo, deliveredTo }: ReadCursorRow): string {
  return [readTo, deliveredTo].map((place) => (place ? formatPlace(place) : '')).join(',');
}
