import { isTrackedEnvelope } from '@trpc/server';
import { type FeedSink, PUSH, Publication, type PushFeed } from '../../src/index.ts';
import type { Backstage, Source } from './backstage.ts';

interface PushableOptions {
  readonly stage: Backstage;
  readonly source: Source;
  readonly signal: AbortSignal | undefined;
  /** What it says by itself before it listens to its source, and how it ends if it does not listen at all. */
  readonly first?: readonly unknown[];
  readonly ending?: 'listens' | 'ends' | 'fails' | 'throws';
}

/** A feed of tracked events in both forms: pushed, and pulled. */
export class Pushable implements PushFeed {
  readonly #options: PushableOptions;

  constructor(options: PushableOptions) {
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void> {
    const { stage, source, signal, first = [], ending = 'listens' } = this.#options;
    stage.note('pushable begins', 'once');
    try {
      yield* first;
      if (ending === 'fails' || ending === 'throws') throw new Error('it failed by itself');
      if (ending !== 'listens') return;
      for await (const event of source.values(signal)) {
        if (!isTrackedEnvelope(event)) throw new TypeError(UNTRACKED);
        yield event;
      }
    } finally {
      stage.note('pushable over', 'once');
    }
  }

  [PUSH](sink: FeedSink): Disposable {
    const { stage, source, first = [], ending = 'listens' } = this.#options;
    stage.note('pushable begins', 'once');
    let leave = () => undefined as unknown;
    const over = () => {
      leave();
      stage.note('pushable over', 'once');
    };
    const end = () => {
      over();
      sink.end();
    };
    const fail = (cause: unknown) => {
      over();
      sink.fail(cause);
    };
    const push = (event: unknown) => {
      try {
        sink.push(publicationOf(event));
      } catch (cause) {
        fail(cause);
      }
    };
    for (const event of first) push(event);
    if (ending === 'listens') leave = source.listen({ next: push, error: fail, complete: end });
    else if (ending === 'ends') end();
    else if (ending === 'fails') fail(new Error('it failed by itself'));
    else {
      over();
      throw new Error('it failed by itself');
    }
    return { [Symbol.dispose]: over };
  }
}

const UNTRACKED = 'only tracked events are pushed';
const made = new WeakMap<object, Publication>();

/** One for each event, whoever reads it. */
function publicationOf(event: unknown): Publication {
  if (!isTrackedEnvelope(event)) throw new TypeError(UNTRACKED);
  const [id, data] = event;
  const publication = made.get(event) ?? new Publication(id, data);
  made.set(event, publication);
  return publication;
}
