/** Channels about which something has still to be done. There are several of these for each inbox, and mostly nothing is in them. */
export class PendingChannels {
  #ids: Set<string> | null = null;

  get isEmpty(): boolean {
    return this.#ids === null;
  }

  add(channelId: string): void {
    this.#ids ??= new Set();
    this.#ids.add(channelId);
  }

  /** Whether it was among them. */
  delete(channelId: string): boolean {
    const was = this.#ids?.delete(channelId) ?? false;
    if (this.#ids?.size === 0) this.#ids = null;
    return was;
  }

  /** All of them: what is added from now on is for the next time. */
  take(): ReadonlySet<string> {
    const ids = this.#ids ?? NONE;
    this.#ids = null;
    return ids;
  }
}

const NONE: ReadonlySet<string> = new Set();
