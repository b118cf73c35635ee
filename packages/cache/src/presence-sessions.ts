import { randomUUID } from 'node:crypto';
import type { Presence, PresenceChoice, PresenceSessions } from '@parley/domain';
import { type Clock, type Log, Loop, type Metrics, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import type { PresenceMove, RedisPresences } from './presences.ts';

interface SessionsOptions {
  readonly presences: RedisPresences;
  /** The connection that `presences` stands on: when it is back, everybody is held again at once. */
  readonly redis: Pick<Redis, 'on' | 'off'>;
  readonly ttlMs: number;
  readonly heartbeatMs: number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>;
  readonly clock?: Clock;
}

/** Users of one pipeline. */
const BATCH_USERS = 500;
const AGAIN_MS = 1_000;

/**
 * Who has live sessions on this node. The node holds each of them in the cache store for a while, and again at each heartbeat; when it
 * dies, its holds end by themselves. What begins and ends in one turn of the event loop is one pipeline, and nobody waits for it.
 */
export class RedisPresenceSessions implements PresenceSessions, Service {
  readonly name = 'presence sessions';
  readonly #options: SessionsOptions;
  readonly #clock: Clock;
  /** Of this process life alone: a node that comes back holds nobody. */
  readonly #nodeId = randomUUID();
  readonly #sessions = new Map<string, number>();
  /** Users of whom the store has to be told, and since when. */
  readonly #touched = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #heartbeat: Loop;
  readonly #published;
  #flushing: Promise<void> | null = null;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { metrics, heartbeatMs, log } = options;
    metrics.gauge('presence_sessions', 'Live sessions of users', { collect: (gauge) => gauge.set(this.#count()) });
    metrics.gauge('presence_users', 'Users with a live session on a thread', {
      collect: (gauge) => gauge.set(this.#sessions.size),
    });
    this.#published = metrics.counter('presence_published_total', 'Changes of presence that were published');
    const work = () => this.#beat();
    this.#heartbeat = new Loop({ name: 'presence heartbeat', everyMs: heartbeatMs, work, log, clock: this.#clock });
  }

  run(): void {
    this.#options.redis.on('ready', this.#onReady);
    this.#heartbeat.run();
  }

  /** Lets go of everybody who is still here. */
  async stop(): Promise<void> {
    this.#options.redis.off('ready', this.#onReady);
    this.#stopping.abort();
    await this.#heartbeat.stop();
    const here = [...this.#sessions.keys()];
    this.#sessions.clear();
    this.#touch(here);
    await this.#flushing;
  }

  begin(userId: string): () => void {
    const before = this.#sessions.get(userId) ?? 0;
    this.#sessions.set(userId, before + 1);
    if (before === 0) this.#touch([userId]);
    let live = true;
    return () => {
      if (live) this.#end(userId);
      live = false;
    };
  }

  async choose(userId: string, choice: PresenceChoice): Promise<Presence> {
    // He may have come in this very turn, or while the store was away.
    const held = this.#sessions.has(userId);
    const [presence] = await this.#move([{ userId, nodeId: held ? this.#nodeId : null, held, choice }]);
    if (!presence) throw new Error('a move without an outcome');
    return presence;
  }

  readonly #onReady = (): void => {
    this.#heartbeat.wake();
  };

  #count(): number {
    let count = 0;
    for (const sessions of this.#sessions.values()) count += sessions;
    return count;
  }

  #end(userId: string): void {
    const left = (this.#sessions.get(userId) ?? 0) - 1;
    if (left > 0) this.#sessions.set(userId, left);
    else if (this.#sessions.delete(userId)) this.#touch([userId]);
  }

  #touch(userIds: Iterable<string>): void {
    const now = this.#clock.now();
    for (const userId of userIds) this.#touched.set(userId, this.#touched.get(userId) ?? now);
    if (this.#touched.size > 0) this.#flushing ??= this.#flush();
  }

  /** Tells the store until it has heard, one pipeline after the other, so that what is said last holds. Never rejects. */
  async #flush(): Promise<void> {
    // The rest of this turn comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#touched.size > 0) {
      const users = [...this.#touched].slice(0, BATCH_USERS);
      for (const [userId] of users) this.#touched.delete(userId);
      const moves = users.map(([userId]) => ({ userId, nodeId: this.#nodeId, held: this.#sessions.has(userId) }));
      try {
        await this.#move(moves);
      } catch (error) {
        this.#options.log.debug({ err: error }, 'presence was not told');
        if (this.#stopping.signal.aborted) break;
        this.#keep(users);
        await this.#clock.sleep(AGAIN_MS, this.#stopping.signal).catch(() => undefined);
      }
    }
    this.#flushing = null;
  }

  async #move(moves: readonly PresenceMove[]): Promise<Presence[]> {
    const { presences, changed } = await this.#options.presences.move(moves);
    this.#published.inc(changed);
    return presences;
  }

  /** Those who are not here need no word any more once their hold has ended by itself. */
  #keep(users: readonly [userId: string, since: number][]): void {
    const over = this.#clock.now() - this.#options.ttlMs;
    for (const [userId, since] of users) {
      if (this.#sessions.has(userId) || since > over) this.#touched.set(userId, since);
    }
  }

  async #beat(): Promise<void> {
    this.#touch(this.#sessions.keys());
    await this.#flushing;
  }
}
