import {
  type Doorbell,
  Failure,
  formatPlace,
  type HeaderSnapshot,
  type HeaderSource,
  partitionOf,
} from '@parley/domain';
import { parsePosition } from '@parley/protocol';
import { type Clock, singleFlight, systemClock } from '@parley/runtime';
import type { Epoch, Epochs } from './epochs.ts';
import { memberFields } from './header.ts';
import { epochKey, headerKey, type Keys, logKey, registerKey, statesKey, windowKey } from './keys.ts';
import { isNoScript, type LogStore } from './log-store.ts';

interface HeaderLoadOptions {
  readonly store: LogStore;
  readonly epochs: Epochs;
  readonly keys: Keys;
  readonly source: HeaderSource;
  /** Wakes whoever drains the partition, when its older entries are in the way. */
  readonly doorbell: Doorbell;
  readonly clock?: Clock;
  /** How long older entries may be in the way. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 3_000;
const POLL_MS = 30;
const ATTEMPTS = 3;

/**
 * Loads a channel's header from Postgres, once per epoch: only when no entry of an older epoch is left in the partition's log (what is
 * there is not in Postgres yet), and only when Postgres, the store and this process mean the same epoch.
 */
export class HeaderLoad {
  /** False when there is no such channel. Throws a `Failure` `UNAVAILABLE` when it cannot be loaded now. Single flight per channel. */
  readonly load: (channelId: string) => Promise<boolean>;
  readonly #options: HeaderLoadOptions;
  readonly #clock: Clock;

  constructor(options: HeaderLoadOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.load = singleFlight((channelId) => this.#load(channelId));
  }

  async #load(channelId: string): Promise<boolean> {
    const { epochs, source } = this.#options;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (!epochs.peek) await epochs.renew();
      const epoch = epochs.current;
      await this.#drained(channelId, epoch.epoch);
      const snapshot = await source.header(channelId);
      if (!snapshot) return false;
      if (await this.#write(channelId, epoch, snapshot)) return true;
      await epochs.renew();
    }
    throw unavailable('The channel is changing its epoch.');
  }

  /** Once no older entry is in the log, none can come: the scripts of older epochs are fenced off. */
  async #drained(channelId: string, epoch: number): Promise<void> {
    const { keys, doorbell, patienceMs = PATIENCE_MS } = this.#options;
    const log = logKey(keys.stemOf(channelId));
    for (let waitedMs = 0; await this.#holdsOlder(log, epoch); waitedMs += POLL_MS) {
      if (waitedMs >= patienceMs) throw unavailable('The channel is still being written to disk.');
      doorbell.ring(partitionOf(channelId));
      await this.#clock.sleep(POLL_MS);
    }
  }

  async #holdsOlder(log: string, epoch: number): Promise<boolean> {
    const older = await this.#options.store.read((redis) => redis.xrange(log, '-', `(${epoch}-0`, 'COUNT', 1));
    return older.length > 0;
  }

  async #write(channelId: string, epoch: Epoch, snapshot: HeaderSnapshot): Promise<boolean> {
    const { store, keys } = this.#options;
    const stem = keys.stemOf(channelId);
    const call = {
      keys: [
        epochKey(stem),
        headerKey(stem, channelId),
        windowKey(stem, channelId),
        statesKey(stem, channelId),
        registerKey(stem),
      ],
      args: headerArguments(snapshot),
    };
    try {
      return (await store.evalsha(epoch.scripts.load.sha, call)) !== 'epoch';
    } catch (error) {
      if (isNoScript(error)) return false;
      throw error;
    }
  }
}

function unavailable(message: string): Failure {
  return new Failure('UNAVAILABLE', message, { retryAfterMs: 1_000 });
}

/** The arguments of `load.lua`. A cursor's m is the head's less what is unread, so that it compares with the head's from now on. */
function headerArguments(snapshot: HeaderSnapshot): (string | number)[] {
  const { epoch, head, holes, members, version, memberLimit, archivedAt, deleted, doubtful } = snapshot;
  const place = head && parsePosition(head.position);
  const inEpoch = place?.epoch === epoch;
  const [m, at] = [head?.m ?? 0, head?.at ?? 0];
  const args: (string | number)[] = [epoch, inEpoch ? place.n : 0, m, at, head && !inEpoch ? head.position : ''];
  args.push('v', version, 'c', members.length, 'l', memberLimit);
  // No m: what is unread was counted without them.
  if (holes.length > 0) args.push('x', holes.map((n) => `${n}:0`).join(' '));
  if (archivedAt !== null) args.push('a', archivedAt);
  if (doubtful) args.push('g', 1);
  if (deleted.length > 0) args.push('y', deleted.join(' '));
  for (const { userId, rank, silencedUntilMs, unread, readTo, deliveredTo, mentions } of members) {
    const cursor = (to: typeof readTo) =>
      formatPlace({ ...parsePosition(to?.position ?? '0-0'), m: Math.max(0, m - unread), at: to?.at ?? 0 });
    const cursors = { read: cursor(readTo), delivered: cursor(deliveredTo) };
    args.push(...memberFields({ userId, rank, silencedUntilMs, mentions, ...cursors }));
  }
  return args;
}
