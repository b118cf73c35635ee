import { type FeedSink, PUSH, type Publication, type PushFeed } from '@parley/transport';
import { TRPCError, type TrackedEnvelope, tracked } from '@trpc/server';
import { Latch, orAbort } from '../hub/latch.ts';
import type { FeedReader, Item, Reading } from './feed-reader.ts';
import { Pump } from './pump.ts';
import type { FeedSession } from './session.ts';
import { openPatiently, type Patience } from './while-away.ts';

interface FeedOptions<E> {
  readonly read: (reading: Reading) => FeedReader<E>;
  /** One function for all feeds of a kind. */
  readonly publicationOf: (item: Item<E>) => Publication;
  /** The client had it open a moment ago, and lost its connection. */
  readonly isResumed: boolean;
  readonly clock: Patience['clock'];
  readonly signal: AbortSignal;
  /** Counts it among the feeds that its connection may hold. */
  readonly session: FeedSession;
}

/**
 * A feed of one user, not begun yet. A socket has it pushed; every other carrier iterates. Each event is tracked: one that is not would
 * make a stock client forget where it was. It ends quietly when the signal is aborted.
 */
export class Feed<E> implements PushFeed<TrackedEnvelope<E>> {
  readonly #options: FeedOptions<E>;

  constructor(options: FeedOptions<E>) {
    this.#options = options;
  }

  [PUSH](sink: FeedSink): Disposable {
    const { read, publicationOf, session } = this.#options;
    this.#hold();
    const pump = new Pump(sink, { publicationOf, session });
    const reader = read(pump);
    pump.run(reader, this.#open(reader, pump));
    return pump;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrackedEnvelope<E>, void, undefined> {
    const { read, signal, session } = this.#options;
    this.#hold();
    const latch = new Latch();
    const wake = () => latch.wake();
    const reader = read({ wake, signal });
    signal.addEventListener('abort', wake);
    try {
      await orAbort(this.#open(reader, { wake, signal }), signal);
      for (;;) {
        signal.throwIfAborted();
        const item = reader.take();
        if (item) yield tracked(item.id, item.event);
        else if (reader.isEven) await latch.wait();
        else await orAbort(reader.catchUp(), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
      reader.close();
      session.releaseFeed?.();
    }
  }

  #open(reader: FeedReader<E>, reading: Reading): Promise<void> {
    const { clock, isResumed } = this.#options;
    return isResumed ? openPatiently({ clock, reading }, () => reader.open()) : reader.open();
  }

  #hold(): void {
    const { session } = this.#options;
    const held = session.holdFeed?.() ?? true;
    if (!held) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'too many feeds' });
  }
}
