import type { User } from '@parley/protocol';
import type { ChatApi } from './chat-api.ts';
import { type Patience, patiently } from './patient-call.ts';
import { createStore, type Store } from './store.ts';

/** Who the user is to the server: known after the first answer, the same from then on. */
export class Self {
  readonly #api: ChatApi;
  readonly #patience: Patience;
  readonly #me = createStore<User | null>(null);
  readonly #known = Promise.withResolvers<User>();
  #isAsking = false;

  constructor(api: ChatApi, patience: Patience) {
    this.#api = api;
    this.#patience = patience;
  }

  get store(): Store<User | null> {
    return this.#me;
  }

  /** Null as long as it is not known. */
  get known(): string | null {
    return this.#me.getSnapshot()?.id ?? null;
  }

  /** Resolves once `ask` was answered. */
  async id(): Promise<string> {
    return (await this.#known.promise).id;
  }

  /** Asks unless it is known or being asked. To be repeated on every connection, since this may fail. */
  async ask(): Promise<User | null> {
    if (this.#isAsking || this.#me.getSnapshot()) return null;
    this.#isAsking = true;
    try {
      const me = await patiently(() => this.#api.call('user.me', {}), this.#patience);
      this.#me.set(me);
      this.#known.resolve(me);
      return me;
    } finally {
      this.#isAsking = false;
    }
  }
}
