import type { FeedSink, Publication } from '@parley/transport';
import type { FeedReader, Item, Reading } from './feed-reader.ts';
import type { FeedSession } from './session.ts';

interface PumpOptions<E> {
  readonly publicationOf: (item: Item<E>) => Publication;
  /** Counts the feed off once it is over. */
  readonly session: FeedSession;
}

/**
 * Moves what a reader has to a socket, in the turn in which it is woken, for as long as the socket has room. Between two events nothing
 * is allocated and nothing awaited.
 */
export class Pump<E> implements Reading, Disposable {
  readonly #sink: FeedSink;
  readonly #publicationOf: PumpOptions<E>['publicationOf'];
  readonly #session: FeedSession;
  #reader: FeedReader<E> | null = null;
  /** Null while nobody has asked for a signal: a feed that is up to date does not. */
  #leaving: AbortController | null = null;
  #isOver = false;
  /** Something is under way that will go on by itself: opening, catching up, waiting for room. */
  #isBusy = true;

  constructor(sink: FeedSink, { publicationOf, session }: PumpOptions<E>) {
    this.#sink = sink;
    this.#publicationOf = publicationOf;
    this.#session = session;
  }

  /** Begins when the reader is open. */
  run(reader: FeedReader<E>, opening: Promise<void>): void {
    this.#reader = reader;
    this.#after(opening);
  }

  /** Nobody reads any more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#leaving?.abort();
    this.#leave();
  }

  get signal(): AbortSignal {
    this.#leaving ??= new AbortController();
    if (this.#isOver) this.#leaving.abort();
    return this.#leaving.signal;
  }

  wake(): void {
    if (!this.#isBusy) this.#move();
  }

  /** Goes on when the promise is fulfilled. */
  #after(promise: Promise<void>): void {
    this.#isBusy = true;
    promise.then(
      () => {
        this.#isBusy = false;
        this.#move();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #move(): void {
    try {
      while (this.#reader && !this.#isBusy) {
        const item = this.#sink.hasRoom ? this.#reader.take() : undefined;
        if (item) this.#sink.push(this.#publicationOf(item));
        else if (item === undefined) this.#waitForRoom();
        else if (this.#reader.isEven) return;
        else this.#after(this.#reader.catchUp());
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #waitForRoom(): void {
    this.#isBusy = true;
    this.#sink.whenRoom(() => {
      this.#isBusy = false;
      this.#move();
    });
  }

  #fail(error: unknown): void {
    if (!this.#reader) return;
    this.#leave();
    this.#sink.fail(error);
  }

  #leave(): void {
    if (!this.#reader) return;
    this.#reader.close();
    this.#reader = null;
    this.#session.releaseFeed?.();
  }
}
