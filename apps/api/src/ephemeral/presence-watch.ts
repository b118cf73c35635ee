import { orWhenAway, type PresenceChange, type Presences } from '@parley/domain';
import { USERS_PER_CALL_MAX } from '@parley/protocol';

/** Told when the status of a user whom it watches has changed. Short, and never throws. */
export type PresenceWatcher = (change: PresenceChange) => void;

export interface PresenceWatchDeps {
  readonly presences: Presences;
  readonly clock: { now(): number };
  /** What nobody has spoken of for so long is asked for. */
  readonly askEveryMs: number;
}

interface Watched {
  /** Mostly one or a few, so that a set for each user would be most of what he takes. */
  watchers: readonly PresenceWatcher[];
  /** Those who know nothing of him but that he came, and so take him for offline. */
  owed: readonly PresenceWatcher[];
  /** What the watchers know; null: what they found out for themselves when they began. */
  told: PresenceChange['status'] | null;
  /** The last that was heard or asked for. */
  now: PresenceChange | null;
  askAt: number;
}

/** A hold is asked about a moment after its end, so that the store agrees. */
const AFTER_END_MS = 50;

/**
 * The users whose presence somebody on this thread wants to hear of. What is published is a hint: whose hold has ended without a word,
 * and everybody after a lost connection, is asked for again. A dead node tells nobody that its users are gone.
 */
export class PresenceWatch {
  readonly #deps: PresenceWatchDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #changed = new Set<Watched>();

  constructor(deps: PresenceWatchDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** `owed`: the watcher takes him for offline, and is told if he is not. */
  watch(userId: string, watcher: PresenceWatcher, { owed }: { owed: boolean }): void {
    const watched = this.#watched.get(userId) ?? begin();
    this.#watched.set(userId, watched);
    watched.watchers = including(watched.watchers, watcher);
    if (!owed) return;
    watched.owed = including(watched.owed, watcher);
    this.#changed.add(watched);
  }

  unwatch(userId: string, watcher: PresenceWatcher): void {
    const watched = this.#watched.get(userId);
    if (!watched?.watchers.includes(watcher)) return;
    watched.owed = watched.owed.filter((other) => other !== watcher);
    watched.watchers = watched.watchers.filter((other) => other !== watcher);
    if (watched.watchers.length > 0) return;
    this.#watched.delete(userId);
    this.#changed.delete(watched);
  }

  /** Takes what was published. */
  hear(changes: readonly PresenceChange[]): void {
    for (const change of changes) {
      const watched = this.#watched.get(change.userId);
      if (watched) this.#learn(watched, change);
    }
  }

  /** Publications may have been lost. */
  suspect(): void {
    for (const watched of this.#watched.values()) watched.askAt = 0;
  }

  /** Asks for whom it is time to, and tells each watcher what has changed since it was told last: one change for each user at most. */
  async look(): Promise<void> {
    const now = this.#deps.clock.now();
    const due = [...this.#watched].filter(([, { askAt }]) => askAt <= now).map(([userId]) => userId);
    for (let i = 0; i < due.length; i += USERS_PER_CALL_MAX) await this.#ask(due.slice(i, i + USERS_PER_CALL_MAX));
    for (const watched of this.#changed) this.#tell(watched);
  }

  async #ask(userIds: readonly string[]): Promise<void> {
    const before = userIds.map((userId) => this.#watched.get(userId)?.now);
    const found = await orWhenAway(() => this.#deps.presences.of(userIds), []);
    found.forEach((presence, i) => {
      const watched = this.#watched.get(presence.userId);
      // What was published while the question was on its way may be newer than the answer.
      if (!watched || watched.now !== before[i]) return;
      // The first answer is no change: whoever began to watch has asked for himself.
      if (watched.now === null) watched.told = presence.status;
      this.#learn(watched, presence);
    });
  }

  #learn(watched: Watched, change: PresenceChange): void {
    watched.now = change;
    const holdsForMs = change.holdsForMs === null ? this.#deps.askEveryMs : change.holdsForMs + AFTER_END_MS;
    watched.askAt = this.#deps.clock.now() + holdsForMs;
    this.#changed.add(watched);
  }

  #tell(watched: Watched): void {
    const { now, told, owed } = watched;
    if (!now) return;
    this.#changed.delete(watched);
    watched.told = now.status;
    if (now.status !== told) for (const watcher of watched.watchers) watcher(now);
    else if (now.status !== 'offline') for (const watcher of owed) watcher(now);
    watched.owed = NOBODY;
  }
}

const NOBODY: readonly PresenceWatcher[] = [];

function begin(): Watched {
  return { watchers: NOBODY, owed: NOBODY, told: null, now: null, askAt: 0 };
}

/** A spread would make room for seventeen. */
function including(watchers: readonly PresenceWatcher[], watcher: PresenceWatcher): readonly PresenceWatcher[] {
  return watchers.includes(watcher) ? watchers : watchers.concat(watcher);
}
