import { USERS_PER_CALL_MAX, type User } from '@parley/protocol';
import type { ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import { createStore, type Store } from './store.ts';

/** Names asked for within this time are one call. */
const GATHER_MS = 30;

/** Who is who: learns users where they pass by, and asks for the rest. */
export class People {
  readonly #api: ChatApi;
  readonly #clock: ClientClock;
  readonly #onProblem: (error: unknown) => void;
  readonly #known = createStore<ReadonlyMap<string, User>>(new Map());
  /** Asked once per connection at most: a user who is not there stays unknown. */
  readonly #asked = new Set<string>();
  #wanted: string[] = [];

  constructor(options: { api: ChatApi; clock: ClientClock; onProblem: (error: unknown) => void }) {
    this.#api = options.api;
    this.#clock = options.clock;
    this.#onProblem = options.onProblem;
  }

  get known(): Store<ReadonlyMap<string, User>> {
    return this.#known;
  }

  learn(users: readonly User[]): void {
    if (users.length === 0) return;
    const known = new Map(this.#known.getSnapshot());
    for (const user of users) known.set(user.id, user);
    this.#known.set(known);
  }

  /** Learns those of whom nothing is known yet: what an event says of somebody is less than what was asked for. */
  meet(user: User): void {
    if (!this.#known.getSnapshot().has(user.id)) this.learn([user]);
  }

  /** Finds out who these are, sooner or later. */
  want(userIds: readonly string[]): void {
    const fresh = userIds.filter((id) => !this.#known.getSnapshot().has(id) && !this.#asked.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) this.#asked.add(id);
    if (this.#wanted.length === 0) this.#clock.after(GATHER_MS, () => void this.#ask());
    this.#wanted.push(...fresh);
  }

  async #ask(): Promise<void> {
    const wanted = this.#wanted.splice(0, USERS_PER_CALL_MAX);
    if (this.#wanted.length > 0) this.#clock.after(GATHER_MS, () => void this.#ask());
    try {
      this.learn(await this.#api.call('user.get', { userIds: wanted }));
    } catch (error) {
      for (const id of wanted) this.#asked.delete(id);
      this.#onProblem(error);
    }
  }
}
