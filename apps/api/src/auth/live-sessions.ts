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

interface Entry {
  claims: SessionClaims;
  readonly end: () => void;
}

const EVERY_MS = 30_000;

/**
 * The connections of this thread, by user. When a hint says that a user's standing has changed, Postgres is asked, and those that may
 * not go on are ended. All are looked at again twice a minute, and whenever hints may have been lost.
 */
export class LiveSessions implements Service {
  readonly name = 'live sessions';
  readonly #deps: LiveSessionsDeps;
  readonly #users = new Map<string, Set<Entry>>();
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
    const entry: Entry = { claims, end };
    const entries = this.#users.get(userId) ?? new Set();
    entries.add(entry);
    this.#users.set(userId, entries);
    return {
      renew: (newer) => {
        // One that is older never shortens the session.
        if (newer.issuedAt >= entry.claims.issuedAt) entry.claims = newer;
      },
      [Symbol.dispose]: () => {
        entries.delete(entry);
        if (entries.size === 0 && this.#users.get(userId) === entries) this.#users.delete(userId);
      },
    };
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
      for (const { claims, end } of [...(this.#users.get(userId) ?? [])]) if (isEnded(standing, claims)) end();
    }
  }
}
