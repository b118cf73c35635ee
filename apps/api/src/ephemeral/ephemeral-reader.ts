import type { Listener } from '../hub/wake-up.ts';
import type { EphemeralNotice } from './ephemeral-channel.ts';
import type { EphemeralHub, EphemeralSource } from './ephemeral-hub.ts';

/** One feed's place among what is told beside the log: it gets the latest of each key, when it comes to look. */
export class EphemeralReader {
  readonly #hub: Pick<EphemeralHub, 'attach'>;
  readonly #listener: Listener;
  #source: EphemeralSource | null = null;
  #noticed = 0;
  #closed = false;

  constructor(hub: Pick<EphemeralHub, 'attach'>, listener: Listener) {
    this.#hub = hub;
    this.#listener = listener;
  }

  /** From here on; the caller is attached to the channel's hub already. Never fails. A second call changes nothing. */
  async open(channelId: string): Promise<void> {
    if (this.#closed || this.#source) return;
    const source = await this.#hub.attach(channelId, this.#listener);
    if (this.#closed) {
      source.detach(this.#listener);
      return;
    }
    this.#source = source;
    this.#noticed = source.board.version;
  }

  /** The next event, if there is one. */
  take(): EphemeralNotice['event'] | null {
    const pinned = this.#source?.board.after(this.#noticed);
    if (!pinned) return null;
    this.#noticed = pinned.version;
    return pinned.notice.event;
  }

  close(): void {
    this.#closed = true;
    this.#source?.detach(this.#listener);
  }
}
