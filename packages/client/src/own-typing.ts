import type { ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';

/** Typing that goes on is said again at most this often: well within the time that it holds. */
const AGAIN_MS = 2_000;

/** Tells the others in a channel that the user is typing. What cannot be told is not told: it ends by itself. */
export class OwnTyping {
  readonly #api: ChatApi;
  readonly #clock: ClientClock;
  readonly #onProblem: (error: unknown) => void;
  /** When it was said last, by channel. */
  readonly #saidAt = new Map<string, number>();

  constructor(options: { api: ChatApi; clock: ClientClock; onProblem: (error: unknown) => void }) {
    this.#api = options.api;
    this.#clock = options.clock;
    this.#onProblem = options.onProblem;
  }

  /** To be called with every stroke. */
  typed(channelId: string): void {
    const now = this.#clock.now();
    const saidAt = this.#saidAt.get(channelId);
    if (saidAt !== undefined && now - saidAt < AGAIN_MS) return;
    this.#saidAt.set(channelId, now);
    this.#say(channelId, true);
  }

  /** The user has given up what he was writing. */
  stopped(channelId: string): void {
    if (this.#saidAt.delete(channelId)) this.#say(channelId, false);
  }

  /** He has sent it: the message itself ends his typing for everybody. */
  sent(channelId: string): void {
    this.#saidAt.delete(channelId);
  }

  #say(channelId: string, typing: boolean): void {
    this.#api.call('typing.set', { channelId, typing }).catch(this.#onProblem);
  }
}
