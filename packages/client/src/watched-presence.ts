import type { Answer, PresenceStatus } from '@parley/protocol';
import { USERS_PER_CALL_MAX } from '@parley/protocol';
import type { ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import { createStore, type Store } from './store.ts';

/** Interest that begins within this time is one call. */
const GATHER_MS = 50;
/** Nobody tells of those with whom no channel is open: they are asked for again. */
const REFRESH_MS = 60_000;

/** How somebody is. */
export interface Presence {
  readonly status: PresenceStatus;
  readonly lastSeenAt: number | null;
}

/** How those are whom somebody wants to see: asked for once, then told by open channels, and asked for again now and then. */
export class WatchedPresence {
  readonly #api: ChatApi;
  readonly #clock: ClientClock;
  readonly #onProblem: (error: unknown) => void;
  readonly #known = createStore<ReadonlyMap<string, Presence>>(new Map());
  readonly #watchers = new Map<string, number>();
  readonly #wanted = new Set<string>();
  #isGathering = false;
  #cancelRefresh: (() => void) | null = null;
  #isOver = false;

  constructor(options: { api: ChatApi; clock: ClientClock; onProblem: (error: unknown) => void }) {
    this.#api = options.api;
    this.#clock = options.clock;
    this.#onProblem = options.onProblem;
  }

  /** Those who are watched, as far as it is known how they are. */
  get store(): Store<ReadonlyMap<string, Presence>> {
    return this.#known;
  }

  /** Finds out how these are and follows it until the returned function is called; whoever nobody watches any more is forgotten. */
  watch(userIds: readonly string[]): () => void {
    const watched = [...new Set(userIds)];
    for (const id of watched) {
      const watchers = this.#watchers.get(id) ?? 0;
      this.#watchers.set(id, watchers + 1);
      if (watchers === 0) this.#want(id);
    }
    this.#planRefresh();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#unwatch(watched);
    };
  }

  /** An open channel told it. */
  told(userId: string, { status, lastSeenAt }: Presence): void {
    if (this.#watchers.has(userId)) this.#learn([{ userId, status, lastSeenAt }]);
  }

  /** What was told while the connection was away is asked for. */
  refresh(): void {
    for (const id of this.#watchers.keys()) this.#want(id);
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelRefresh?.();
  }

  #unwatch(userIds: readonly string[]): void {
    const known = new Map(this.#known.getSnapshot());
    for (const id of userIds) {
      const watchers = (this.#watchers.get(id) ?? 0) - 1;
      if (watchers > 0) {
        this.#watchers.set(id, watchers);
        continue;
      }
      this.#watchers.delete(id);
      this.#wanted.delete(id);
      known.delete(id);
    }
    if (known.size < this.#known.getSnapshot().size) this.#known.set(known);
    if (this.#watchers.size > 0) return;
    this.#cancelRefresh?.();
    this.#cancelRefresh = null;
  }

  #want(userId: string): void {
    this.#wanted.add(userId);
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#clock.after(GATHER_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#isGathering = false;
    const userIds = [...this.#wanted].slice(0, USERS_PER_CALL_MAX);
    for (const id of userIds) this.#wanted.delete(id);
    for (const id of this.#wanted) this.#want(id);
    if (userIds.length === 0 || this.#isOver) return;
    try {
      this.#learn(await this.#api.call('presence.get', { userIds }));
    } catch (error) {
      // The next round asks again.
      this.#onProblem(error);
    }
  }

  #learn(presences: Answer<'presence.get'>): void {
    const known = new Map(this.#known.getSnapshot());
    let isNews = false;
    for (const { userId, status, lastSeenAt } of presences) {
      const before = known.get(userId);
      if (!this.#watchers.has(userId) || (before?.status === status && before.lastSeenAt === lastSeenAt)) continue;
      known.set(userId, { status, lastSeenAt });
      isNews = true;
    }
    if (isNews) this.#known.set(known);
  }

  #planRefresh(): void {
    if (this.#isOver || this.#watchers.size === 0) return;
    this.#cancelRefresh ??= this.#clock.after(REFRESH_MS, () => {
      this.#cancelRefresh = null;
      this.refresh();
      this.#planRefresh();
    });
  }
}
