import type { ChannelEvent } from '@parley/protocol';
import type { ClientClock } from '../clock.ts';

/**
 * The server tells when somebody begins and when he ends, once each. An end that never came is made up for after this long, which nobody
 * types without sending.
 */
const TYPING_MAX_MS = 60_000;

/** Who types in a channel, but for the user himself. */
export class Typists {
  readonly #clock: ClientClock;
  readonly #onChange: () => void;
  readonly #timers = new Map<string, () => void>();
  #userIds: readonly string[] = [];

  constructor(options: { clock: ClientClock; onChange: () => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** Those who began first come first. The same array until it changes. */
  get userIds(): readonly string[] {
    return this.#userIds;
  }

  take(event: ChannelEvent, selfId: string): void {
    switch (event.type) {
      case 'opened':
        // What was told before is worth nothing: who still types is told anew.
        this.clear();
        break;
      case 'typing.changed':
        if (!event.typing) this.#end(event.userId);
        else if (event.userId !== selfId) this.#begin(event.userId);
        break;
      case 'message.created':
        this.#end(event.message.senderId);
        break;
      case 'member.left':
        this.#end(event.userId);
        break;
      default:
        break;
    }
  }

  /** Nobody: also when the connection is lost, for no end will be told. */
  clear(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#tell();
  }

  #begin(userId: string): void {
    this.#timers.get(userId)?.();
    this.#timers.set(
      userId,
      this.#clock.after(TYPING_MAX_MS, () => this.#end(userId)),
    );
    this.#tell();
  }

  #end(userId: string): void {
    const cancel = this.#timers.get(userId);
    if (!cancel) return;
    cancel();
    this.#timers.delete(userId);
    this.#tell();
  }

  #tell(): void {
    const userIds = [...this.#timers.keys()];
    if (userIds.join() === this.#userIds.join()) return;
    this.#userIds = userIds;
    this.#onChange();
  }
}
