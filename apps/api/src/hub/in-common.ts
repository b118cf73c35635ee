import { isDeepStrictEqual } from 'node:util';
import type { LogPlace } from '@parley/domain';
import type { Message, Position } from '@parley/protocol';

/** Gives the value that was given before it, as long as both say the same. */
class Common<T> {
  #last: T | null = null;

  of(value: T): T {
    if (this.#last === null || !isDeepStrictEqual(this.#last, value)) this.#last = value;
    return this.#last;
  }

  forget(): void {
    this.#last = null;
  }
}

/**
 * What the inboxes of one channel mostly hold the same of: each reads it for itself, and all of them would keep a kilobyte each that is
 * told a hundred times over.
 */
export class InCommon {
  readonly message = new Common<Message>();
  readonly head = new Common<LogPlace>();
  readonly position = new Common<Position>();

  /** Keeps nothing of what anybody wrote. */
  forget(): void {
    this.message.forget();
  }
}
