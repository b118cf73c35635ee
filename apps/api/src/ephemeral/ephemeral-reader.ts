import type { EphemeralNotice } from './ephemeral-channel.ts';
import type { EphemeralAttachment, EphemeralHub } from './ephemeral-hub.ts';

/** One feed's place among what is told beside the log: it gets the latest of each key, when it comes to look. */
export class EphemeralReader {
  readonly #hub: Pick<EphemeralHub, 'attach'>;
  #attachment: EphemeralAttachment | null = null;
  #noticed = 0;
  #closed = false;

  constructor(hub: Pick<EphemeralHub, 'attach'>) {
    this.#hub = hub;
  }

  /** From here on; the caller is attached to the channel's hub already. Never fails. */
  async open(channelId: string, wake: () => void): Promise<void> {
    if (this.#closed) return;
    const attachment = await this.#hub.attach(channelId, wake);
    if (this.#closed) {
      attachment.release();
      return;
    }
    this.#attachment = attachment;
    this.#noticed = attachment.board.version;
  }

  /** The next event, if there is one. */
  take(): EphemeralNotice['event'] | null {
    const pinned = this.#attachment?.board.after(this.#noticed);
    if (!pinned) return null;
    this.#noticed = pinned.version;
    return pinned.notice.event;
  }

  close(): void {
    this.#closed = true;
    this.#attachment?.release();
  }
}
