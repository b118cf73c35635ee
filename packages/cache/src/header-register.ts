import { type ForgetVerdict, type HeaderRegister, parsePlace, type StandingHeader, unreadOf } from '@parley/domain';
import { type Position, parsePosition } from '@parley/protocol';
import { parseView, viewFields } from './header.ts';
import { cursorsKey, headerKey, type Keys, registerKey, statesKey, windowKey } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { readScript } from './script.ts';

interface RedisHeaderRegisterOptions {
  readonly store: LogStore;
  readonly keys: Keys;
}

const FORGET = readScript('forget');
const TRIM_WINDOW = readScript('trim-window');

/** The register of loaded headers on Redis: a sorted set a partition, by the second in which each was loaded or looked at. */
export class RedisHeaderRegister implements HeaderRegister {
  readonly #store: LogStore;
  readonly #keys: Keys;

  constructor({ store, keys }: RedisHeaderRegisterOptions) {
    this.#store = store;
    this.#keys = keys;
  }

  due(partition: number, { beforeMs, limit }: { beforeMs: number; limit: number }): Promise<string[]> {
    const key = registerKey(this.#stem(partition));
    return this.#store.read((redis) =>
      redis.zrangebyscore(key, '-inf', Math.floor(beforeMs / 1_000), 'LIMIT', 0, limit),
    );
  }

  async sample(partition: number, limit: number): Promise<string[]> {
    const found = await this.#store.read((redis) => redis.zrandmember(registerKey(this.#stem(partition)), limit));
    return found as string[];
  }

  async forget(
    channelId: string,
    { head, quietSinceMs }: { head: Position | null; quietSinceMs: number },
  ): Promise<ForgetVerdict> {
    const stem = this.#keys.stemOf(channelId);
    const gone = [windowKey(stem, channelId), statesKey(stem, channelId)];
    const keys = [headerKey(stem, channelId), cursorsKey(stem), registerKey(stem), ...gone];
    return (await this.#store.eval(FORGET, { keys, args: [channelId, head ?? '', quietSinceMs] })) as ForgetVerdict;
  }

  async keep(partition: number, channelIds: readonly string[], nowMs: number): Promise<void> {
    if (channelIds.length === 0) return;
    const second = Math.floor(nowMs / 1_000);
    const scored = channelIds.flatMap((channelId) => [second, channelId]);
    await this.#store.write((redis) => redis.zadd(registerKey(this.#stem(partition)), 'XX', ...scored));
  }

  async header(channelId: string): Promise<StandingHeader | null> {
    const key = headerKey(this.#keys.stemOf(channelId), channelId);
    return standingOf(await this.#store.read((redis) => redis.hgetall(key)));
  }

  async trimWindow(channelId: string, upTo: Position): Promise<void> {
    const { epoch, n } = parsePosition(upTo);
    const stem = this.#keys.stemOf(channelId);
    const keys = [headerKey(stem, channelId), windowKey(stem, channelId), statesKey(stem, channelId)];
    await this.#store.eval(TRIM_WINDOW, { keys, args: [epoch, n] });
  }

  #stem(partition: number): string {
    const stem = this.#keys.stems[partition];
    if (stem === undefined) throw new RangeError(`not a partition: ${partition}`);
    return stem;
  }
}

const CURSOR_FIELD = /^r:(.+)$/;

function standingOf(fields: Readonly<Record<string, string>>): StandingHeader | null {
  const head = parsePlace(fields.s ?? '');
  if (!head) return null;
  const viewOf = (userId: string) => {
    const values = viewFields(userId).map((name) => fields[name] ?? null);
    return parseView(values, head.epoch);
  };
  const userIds = Object.keys(fields).flatMap((field) => CURSOR_FIELD.exec(field)?.[1] ?? []);
  const members = userIds.flatMap((userId) => {
    const view = viewOf(userId);
    return view ? [[userId, { readTo: view.readTo, unread: unreadOf(view) }] as const] : [];
  });
  return { epoch: head.epoch, headPosition: viewOf('')?.headPosition ?? null, members: new Map(members) };
}
