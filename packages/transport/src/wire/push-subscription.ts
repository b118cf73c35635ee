import type { Call } from './call.ts';
import type { Stoppable } from './iteration.ts';
import { type Publication, RequestHead, type Serialize } from './publication.ts';
import { type FeedSink, PUSH, type PushFeed } from './push-feed.ts';
import type { SocketWriter } from './socket-writer.ts';

/** A subscription whose feed pushes, from `started` to `stopped`. */
export class PushSubscription implements FeedSink, Stoppable {
  readonly #call: Call;
  readonly #head: RequestHead;
  readonly #writer: SocketWriter;
  readonly #serialize: Serialize;
  #isOver = false;
  #pushing: Disposable | null = null;

  constructor(call: Call) {
    const { connection } = call;
    this.#call = call;
    this.#head = RequestHead.of(call.id, call.jsonrpc);
    this.#writer = connection.line.writer;
    this.#serialize = connection.wire.serialize;
  }

  run(feed: PushFeed): void {
    this.#call.onStop = this;
    try {
      const pushing = feed[PUSH](this);
      // It may be over by now: then the feed knows.
      if (!this.#isOver) this.#pushing = pushing;
    } catch (error) {
      this.fail(error);
    }
  }

  get hasRoom(): boolean {
    return this.#writer.isClear || this.#call.connection.line.gate.hasRoom;
  }

  whenRoom(callback: () => void): void {
    const { connection, signal } = this.#call;
    connection.line.gate.open(signal).then(callback, () => undefined);
  }

  push(publication: Publication): void {
    if (this.#isOver) return;
    this.#writer.publish(publication, this.#head, publication.bytesFor(this.#head, this.#serialize));
  }

  stop(): void {
    this.end();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.onStop = null;
    if (this.#call.isStopped) this.#pushing?.[Symbol.dispose]();
    this.#pushing = null;
    // What was read in one piece with the stop still finds the id taken, as it does for a feed that is pulled.
    queueMicrotask(() => this.#call.finish());
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    try {
      this.#call.respondWithError(error);
    } catch (cause) {
      this.#call.connection.complainOfOurselves(cause);
    }
    this.end();
  }
}
