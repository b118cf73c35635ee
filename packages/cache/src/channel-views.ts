import {
  type ChannelMembers,
  type ChannelView,
  type ChannelViews,
  type Cursors,
  ENTRY_KINDS,
  parseLine,
  type ReadCursor,
  type ReadVerdict,
  type Stated,
  type StatesAsked,
} from '@parley/domain';
import { type Position, parsePosition } from '@parley/protocol';
import type { Epochs } from './epochs.ts';
import { cursorsOf, parseView, placeOf, viewFields } from './header.ts';
import { cursorsKey, epochKey, headerKey, type Keys, statesKey, windowKey } from './keys.ts';
import { isNoScript, type LogStore, replies } from './log-store.ts';
import { readScript } from './script.ts';

interface RedisChannelViewsOptions {
  readonly store: LogStore;
  readonly epochs: Epochs;
  readonly keys: Keys;
}

const MEMBERS = readScript('members');

type StreamEntry = [id: string, fields: string[]];

/** Among this many lines a message is looked for: changes of messages and members take lines, too. */
const LAST_LINES = 16;

/** Headers and windows, each question one round trip. */
export class RedisChannelViews implements ChannelViews {
  readonly #store: LogStore;
  readonly #epochs: Epochs;
  readonly #keys: Keys;

  constructor({ store, epochs, keys }: RedisChannelViewsOptions) {
    this.#store = store;
    this.#epochs = epochs;
    this.#keys = keys;
  }

  async views(userId: string, channelIds: readonly string[]): Promise<(ChannelView | null)[]> {
    const { epoch } = this.#epochs.agreed;
    const fields = viewFields(userId);
    const found = await this.#each(channelIds, (pipeline, channelId) =>
      pipeline.hmget(headerKey(this.#keys.stemOf(channelId), channelId), ...fields),
    );
    return found.map((values) => parseView(values, epoch));
  }

  async members(channelId: string, most: number): Promise<ChannelMembers | null> {
    const { epoch } = this.#epochs.agreed;
    const keys = [headerKey(this.#keys.stemOf(channelId), channelId)];
    const reply = await this.#store.eval(MEMBERS, { keys, args: [most] });
    const [place, count, ...userIds] = reply as [string | null, number, ...string[]];
    const head = placeOf(place);
    return head?.epoch === epoch ? { head, count, userIds } : null;
  }

  async after(channelId: string, position: Position, limit: number): Promise<string[]> {
    const window = this.#window(channelId);
    const entries = await this.#store.read((redis) => redis.xrange(window, `(${position}`, '+', 'COUNT', limit));
    return entries.map(lineOf);
  }

  async before(channelId: string, position: Position | null, limit: number): Promise<string[]> {
    const window = this.#window(channelId);
    const from = position === null ? '+' : `(${position}`;
    const entries = await this.#store.read((redis) => redis.xrevrange(window, from, '-', 'COUNT', limit));
    return entries.map(lineOf).reverse();
  }

  async last(channelIds: readonly string[]): Promise<(string | null)[]> {
    const found = await this.#each(channelIds, (pipeline, channelId) =>
      pipeline.xrevrange(this.#window(channelId), '+', '-', 'COUNT', LAST_LINES),
    );
    return found.map((entries) => {
      const lines = (entries as StreamEntry[]).map(lineOf);
      return lines.find((line) => parseLine(line)?.kind === ENTRY_KINDS.created) ?? null;
    });
  }

  async states(asked: readonly StatesAsked[]): Promise<((Stated | null)[] | null)[]> {
    if (asked.length === 0) return [];
    const found = await this.#store.read((redis) => {
      const pipeline = redis.pipeline();
      for (const { channelId, ids } of asked) {
        const stem = this.#keys.stemOf(channelId);
        // No id is no message's. The head last: where it still stands, so it did when the states were read.
        pipeline.hmget(statesKey(stem, channelId), '', ...ids).hget(headerKey(stem, channelId), 's');
      }
      return replies(pipeline);
    });
    return asked.map(({ since }, i) => {
      const [[, ...texts], place] = [found[2 * i] as (string | null)[], placeOf(found[2 * i + 1] as string | null)];
      return place?.epoch === since.epoch && place.n >= since.n ? texts.map(stateOf) : null;
    });
  }

  async cursors(channelId: string, userIds: readonly string[]): Promise<Cursors[]> {
    if (userIds.length === 0) return [];
    const header = headerKey(this.#keys.stemOf(channelId), channelId);
    const fields = userIds.flatMap((userId) => [`r:${userId}`, `d:${userId}`]);
    const values = await this.#store.read((redis) => redis.hmget(header, ...fields));
    return userIds.map((_, i) => cursorsOf(values[2 * i], values[2 * i + 1]));
  }

  async allCursors(channelId: string): Promise<(Cursors & { readonly userId: string })[]> {
    const header = headerKey(this.#keys.stemOf(channelId), channelId);
    const fields = await this.#store.read((redis) => redis.hgetall(header));
    return Object.keys(fields)
      .filter((field) => field.startsWith('r:'))
      .map((field) => {
        const userId = field.slice(2);
        return { userId, ...cursorsOf(fields[field], fields[`d:${userId}`]) };
      });
  }

  read({ counted, ...cursor }: ReadCursor): Promise<ReadVerdict> {
    const { messages, upTo } = counted ?? {};
    return this.#move('read', cursor, messages === undefined || !upTo ? [] : [messages, upTo.epoch, upTo.n, upTo.m]);
  }

  delivered(cursor: Omit<ReadCursor, 'counted'>): Promise<ReadVerdict> {
    return this.#move('delivered', cursor, []);
  }

  async #move(
    script: 'read' | 'delivered',
    { channelId, userId, position }: Omit<ReadCursor, 'counted'>,
    counted: readonly number[],
  ): Promise<ReadVerdict> {
    const agreed = this.#epochs.peek;
    if (!agreed) return { type: 'epoch' };
    const { epoch, n } = parsePosition(position);
    const stem = this.#keys.stemOf(channelId);
    const keys = [epochKey(stem), headerKey(stem, channelId), windowKey(stem, channelId), cursorsKey(stem)];
    try {
      const args = [userId, epoch, n, channelId, ...counted];
      return readVerdictOf(await this.#store.evalsha(agreed.scripts[script].sha, { keys, args }), agreed.epoch);
    } catch (error) {
      if (isNoScript(error)) return { type: 'epoch' };
      throw error;
    }
  }

  #window(channelId: string): string {
    return windowKey(this.#keys.stemOf(channelId), channelId);
  }

  /** One pipeline with a command per channel; no round trip for none. */
  async #each(channelIds: readonly string[], add: (pipeline: Pipeline, channelId: string) => void): Promise<unknown[]> {
    if (channelIds.length === 0) return [];
    return this.#store.read((redis) => {
      const pipeline = redis.pipeline();
      for (const channelId of channelIds) add(pipeline, channelId);
      return replies(pipeline);
    });
  }
}

type Pipeline = Parameters<typeof replies>[0];

function lineOf([id, fields]: StreamEntry): string {
  const line = fields[1];
  if (line === undefined) throw new Error(`an entry without a line: ${id}`);
  return line;
}

/** What the scripts wrote, which nobody else writes. */
function stateOf(text: string | null): Stated | null {
  return text === null ? null : (JSON.parse(text) as Stated);
}

function readVerdictOf(reply: unknown, epoch: number): ReadVerdict {
  const [type, ...header] = reply as [ReadVerdict['type'], ...unknown[]];
  if (type === 'count') {
    const [n = 0, m = 0] = header.map(Number);
    return { type, upTo: { epoch, n, m } };
  }
  if (type !== 'at') return { type };
  const view = parseView(header, epoch);
  if (!view?.readTo) throw new Error('a member without a read cursor');
  // One field more than a view has, and only of an entry that is read for the first time.
  const accepted = header[13];
  return { type, place: view.readTo, view, ...(accepted ? { acceptedAt: Number(accepted) } : {}) };
}
