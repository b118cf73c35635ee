import type { Presence, PresenceChange, PresenceChoice, Presences, SeenTimes, SeenUser } from '@parley/domain';
import type { PresenceStatus } from '@parley/protocol';
import type { CacheStore } from './cache-store.ts';
import type { Keys } from './keys.ts';
import { readScript } from './script.ts';

interface RedisPresencesOptions {
  readonly store: CacheStore;
  readonly keys: Keys;
  /** How long a node holds a user whom it does not speak of again. */
  readonly ttlMs: number;
  /** How long it is known when somebody was seen last. */
  readonly lastSeenTtlMs: number;
}

/** What one node says of one user. */
export interface PresenceMove {
  readonly userId: string;
  /** Null: it is not about a node. */
  readonly nodeId: string | null;
  /** Whether the node holds him from now on. */
  readonly held: boolean;
  readonly choice?: PresenceChoice;
}

const PRESENCE = readScript('presence');
const UNSEEN = readScript('unseen');

/** Presence in the cache store: one hash a user, and one set of all users by when they were seen last. */
export class RedisPresences implements Presences, SeenTimes {
  readonly #options: RedisPresencesOptions;

  constructor(options: RedisPresencesOptions) {
    this.#options = options;
  }

  async of(userIds: readonly string[]): Promise<Presence[]> {
    if (userIds.length === 0) return [];
    const { store, keys } = this.#options;
    const [clock, ...hashes] = await store.pipeline((pipeline) => {
      pipeline.time();
      for (const userId of userIds) pipeline.hgetall(keys.presenceOf(userId));
    });
    const [seconds = 0, micros = 0] = (clock as string[]).map(Number);
    const now = seconds * 1_000 + Math.floor(micros / 1_000);
    return userIds.map((userId, i) => presenceFrom(userId, hashes[i] as Record<string, string>, now));
  }

  /** Moves users, each in one step, all in one pipeline; what changed is published. Gives them in the order of the moves. */
  async move(moves: readonly PresenceMove[]): Promise<{ presences: Presence[]; changed: number }> {
    const { store, keys, ttlMs, lastSeenTtlMs } = this.#options;
    const replies = await store.evalEach(
      PRESENCE,
      moves.map(({ userId, nodeId, held, choice }) => {
        const said = choice ? [choice.status, ...(choice.text === undefined ? [] : [choice.text ?? ''])] : [''];
        return { keys: [keys.presenceOf(userId)], args: [nodeId ?? '', held ? ttlMs : 0, lastSeenTtlMs, ...said] };
      }),
    );
    const moved = replies.map((reply, i) => movedFrom(moves[i]?.userId ?? '', reply));
    const changes = moved.filter(({ changed }) => changed).map(({ presence }) => changeOf(presence));
    const seen = moved.filter((_, i) => moves[i]?.nodeId !== null).map(({ presence }) => presence);
    await this.#tell(changes, seen);
    return { presences: moved.map(({ presence }) => presence), changed: changes.length };
  }

  async forget(userId: string): Promise<void> {
    const { store, keys } = this.#options;
    await store.pipeline((pipeline) => {
      pipeline.del(keys.presenceOf(userId));
      pipeline.zrem(keys.seen, userId);
    });
  }

  async from(at: number, count: number): Promise<SeenUser[]> {
    const { store, keys } = this.#options;
    const flat = await store.run((redis) =>
      redis.zrange(keys.seen, String(at), '+inf', 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES'),
    );
    return seenFrom(flat);
  }

  async tidy(count: number): Promise<number> {
    const { store, keys, ttlMs } = this.#options;
    const silentSince = Date.now() - 2 * ttlMs;
    const flat = await store.run((redis) =>
      redis.zrange(keys.seen, '-inf', String(silentSince), 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES'),
    );
    const users = seenFrom(flat);
    if (users.length === 0) return 0;
    // A move that is about no node removes what is over.
    await this.move(users.map(({ userId }) => ({ userId, nodeId: null, held: false })));
    await store.evalEach(UNSEEN, [{ keys: [keys.seen], args: flat }]);
    return users.length;
  }

  async #tell(changes: readonly PresenceChange[], seen: readonly Presence[]): Promise<void> {
    if (changes.length === 0 && seen.length === 0) return;
    const { store, keys, lastSeenTtlMs } = this.#options;
    await store.pipeline((pipeline) => {
      if (changes.length > 0) pipeline.publish(keys.presence, JSON.stringify(changes));
      if (seen.length === 0) return;
      const scores = seen.flatMap(({ userId, lastSeenAt }) => [lastSeenAt ?? 0, userId]);
      pipeline.zadd(keys.seen, 'GT', ...scores);
      pipeline.pexpire(keys.seen, lastSeenTtlMs);
    });
  }
}

function changeOf({ userId, status, lastSeenAt, holdsForMs }: Presence): PresenceChange {
  return { userId, status, lastSeenAt, holdsForMs };
}

function movedFrom(userId: string, reply: unknown): { changed: boolean; presence: Presence } {
  const [changed, status, text, lastSeenAt, holdsForMs] = reply as [number, PresenceStatus, string, number, number];
  const presence = {
    userId,
    status,
    text: text || null,
    lastSeenAt: lastSeenAt || null,
    holdsForMs: holdsForMs || null,
  };
  return { changed: changed === 1, presence };
}

/** The same as the script works out: a hold that has ended counts for nothing. */
function presenceFrom(userId: string, hash: Record<string, string>, now: number): Presence {
  const ends = Object.entries(hash).map(([field, value]) => (field.startsWith('n:') ? Number(value) : 0));
  const holdsForMs = Math.max(0, ...ends) - now;
  const lastSeenAt = hash.l === undefined ? null : Number(hash.l);
  if (holdsForMs <= 0) return { userId, status: 'offline', text: null, lastSeenAt, holdsForMs: null };
  // Only the script writes this field, and only what a schema let through.
  const status = (hash.s ?? 'online') as PresenceStatus;
  return { userId, status, text: hash.t || null, lastSeenAt, holdsForMs };
}

/** From `user`, `time`, … */
function seenFrom(flat: readonly string[]): SeenUser[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    userId: flat[2 * i] ?? '',
    at: Number(flat[2 * i + 1]),
  }));
}
