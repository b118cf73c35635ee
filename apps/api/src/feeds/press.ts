import { Publication } from '@parley/transport';
import type { Item } from './feed-reader.ts';

/** What the feeds of one thread tell: an event that goes to many of them is one publication, so that it is encoded once. */
export class Press {
  /** By the event, which feeds share; it lives as long as that. */
  readonly #made = new WeakMap<object, Publication>();

  publicationOf({ id, event }: Item<object>): Publication {
    const known = this.#made.get(event);
    if (known?.id === id) return known;
    const publication = new Publication(id, event);
    this.#made.set(event, publication);
    return publication;
  }
}
