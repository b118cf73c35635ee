import type { FeedNotice } from '@parley/domain';

export interface Pinned<N> {
  readonly version: number;
  readonly notice: N;
}

/**
 * The latest notice of each key. A feed remembers only the version that it has seen, so a slow one costs nothing and gets each key
 * once, as it stands when it comes to look.
 */
export class NoticeBoard<N extends { readonly key: string } = FeedNotice> {
  readonly #capacity: number;
  /** In the order of their versions: a newer notice of a key moves it to the end. */
  readonly #pinned = new Map<string, Pinned<N>>();
  #newest: Pinned<N> | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get version(): number {
    return this.#newest?.version ?? 0;
  }

  pin(notice: N): void {
    this.#newest = { version: this.version + 1, notice };
    this.#pinned.delete(notice.key);
    this.#pinned.set(notice.key, this.#newest);
    if (this.#pinned.size <= this.#capacity) return;
    // Every notice can be recovered from the next `opened` or a query, so the oldest may go.
    for (const key of this.#pinned.keys()) {
      this.#pinned.delete(key);
      break;
    }
  }

  /** The oldest notice pinned after a version, with its own. */
  after(version: number): Pinned<N> | undefined {
    if (version >= this.version) return undefined;
    if (version === this.version - 1) return this.#newest;
    for (const pinned of this.#pinned.values()) if (pinned.version > version) return pinned;
    return undefined;
  }
}
