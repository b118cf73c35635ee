import { Publication } from '@parley/transport';
import type { Item } from './feed-reader.ts';

/** More than are under way at a time. Each keeps its bytes, so that they must not live as long as the entries they tell of. */
const KEPT = 256;

/** What the feeds of one thread tell: an event that goes to many of them is one publication, so that it is encoded once. */
export class Press {
  /** By the event, which feeds share: the newest ones, and those before. */
  #newest = new Map<object, Publication>();
  #before = new Map<object, Publication>();

  publicationOf({ id, event }: Item<object>): Publication {
    const known = this.#newest.get(event) ?? this.#before.get(event);
    if (known?.id === id) return known;
    const publication = new Publication(id, event);
    if (this.#newest.size >= KEPT) {
      this.#before = this.#newest;
      this.#newest = new Map();
    }
    this.#newest.set(event, publication);
    return publication;
  }
}
