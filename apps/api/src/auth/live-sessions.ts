import { isEnded, type SessionClaims } from '@parley/domain';
import { type Log, Loop, type Service } from '@parley/runtime';
import type { Standings } from './standings.ts';

interface LiveSessionsDeps {
  readonly standings: Pick<Standings, 'ask' | 'forget' | 'forgetAll'>;
  readonly log: Log;
  readonly everyMs?: number;
}

/** One live connection, as the end of its session finds it. */
export interface LiveEntry extends Disposable {
  /** Its token was replaced by a newer one. */
  renew(claims: SessionClaims): void;
}

/** The connections of each user: mostly one, so that a set for each would be most of what they take. */
type ByUser = Map<string, readonly Entry[]>;

class Entry implements LiveEntry {
  readonly end: () => void;
  claims: SessionClaims;
  readonly #userId: string;
  readonly #users: ByUser;

  constructor(users: ByUser, userId: string, { claims, end }: Pick<Entry, 'claims' | 'end'>) {
    this.#users = users;
    this.#userId = userId;
    this.claims = claims;
    this.end = end;
    // A spread would make room for seventeen.
    users.set(userId, users.get(userId)?.concat(this) ?? [this]);
  }

  renew(newer: SessionClaims): void {
    // One that is older never shortens the session.
    if (newer.issuedAt >= this.claims.issuedAt) this.claims = newer;
  }

  [Symbol.dispose](): void {
    const others = this.#users.get(this.#userId)?.filter((entry) => entry !== this) ?? [];
    if (others.length > 0) this.#users.set(this.#userId, others);
    else this.#users.delete(this.#userId);
  }
}

const EVERY_MS = 30_000;

/**
 * The connections of this thread, by user. When a hint says that a user's standing has changed, Postgres is asked, and those that may
 * not go on are ended. All are looked at again twice a minute, and whenever hints may have been lost.
 */
export class LiveSessions implements Service {
  readonly name = 'live sessions';
  readonly #deps: LiveSessionsDeps;
  readonly #users: ByUser = new Map();
  readonly #loop: Loop;

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
    const { log, everyMs = EVERY_MS } = deps;
    this.#loop = new Loop({ name: 'sessions', everyMs, log, work: () => this.#look([...this.#users.keys()]) });
  }

  run(): void {
    this.#loop.run();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** To be called before the user's standing is asked for: what changes from then on ends the session. */
  enter(userId: string, claims: SessionClaims, end: () => void): LiveEntry {
    return new Entry(this.#users, userId, { claims, end });
  }

  /** A hint: the user's standing is another one now. */
  standing(userId: string): void {
    this.#deps.standings.forget(userId);
    if (!this.#users.has(userId)) return;
    // What fails is looked at with all the others, for as long as it takes.
    this.#look([userId]).catch(() => this.#loop.wake());
  }

  /** Hints may have been lost. */
  suspect(): void {
    this.#deps.standings.forgetAll();
    this.#loop.wake();
  }

  async #look(userIds: readonly string[]): Promise<void> {
    if (userIds.length === 0) return;
    const standings = await this.#deps.standings.ask(userIds);
    for (const [userId, standing] of standings) {
      for (const { claims, end } of this.#users.get(userId) ?? []) if (isEnded(standing, claims)) end();
    }
  }
}
