import { callTRPCProcedure, isTrackedEnvelope, TRPCError } from '@trpc/server';
import { isObservable, observableToAsyncIterable } from '@trpc/server/observable';
import type { TRPCRequestMessage, TRPCResultMessage } from '@trpc/server/rpc';
import { dispose, type Stop, type Stoppable, Stopped, takeNext } from './iteration.ts';
import { isPushFeed } from './push-feed.ts';
import { PushSubscription } from './push-subscription.ts';
import { type CallOfError, FALLBACK_SHAPE } from './wire.ts';
import type { ContextResult, WireConnection } from './wire-connection.ts';

/** What a call was asked with: a message that is neither a stop nor without an id. */
export type CallMessage = Exclude<TRPCRequestMessage, { method: 'subscription.stop' }> & {
  readonly id: number | string;
};

type Result = TRPCResultMessage<unknown>['result'];

/** One call of a client, from its message to its last answer. */
export class Call implements Stop {
  readonly connection: WireConnection;
  readonly id: number | string;
  readonly jsonrpc: '2.0' | undefined;
  onStop: Stoppable | null = null;
  readonly #asked: CallOfError & { readonly path: string };
  readonly #batchIndex: number;
  /** Null while nobody has asked for a signal. */
  #stopping: AbortController | null = null;
  #isStopped = false;

  constructor(connection: WireConnection, message: CallMessage, batchIndex: number) {
    const { path, input, lastEventId } = message.params;
    this.connection = connection;
    this.id = message.id;
    this.jsonrpc = message.jsonrpc;
    this.#asked = { path, type: message.method, input: withLastEventId(input, lastEventId) };
    this.#batchIndex = batchIndex;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get signal(): AbortSignal {
    this.#stopping ??= new AbortController();
    if (this.#isStopped) this.#stopping.abort();
    return this.#stopping.signal;
  }

  get #isSubscription(): boolean {
    return this.#asked.type === 'subscription';
  }

  /** The client wants no more of it, or is gone. Once or as often as one likes. */
  abort(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopping?.abort();
    this.onStop?.stop();
  }

  /** Rejects when an answer can be neither encoded nor replaced. */
  async run(context: Promise<ContextResult>): Promise<void> {
    const { subscriptions } = this.connection;
    if (this.#isSubscription) {
      if (subscriptions.has(this.id)) {
        return this.respondWithError(new TRPCError({ code: 'BAD_REQUEST', message: `Duplicate id ${this.id}` }));
      }
      subscriptions.set(this.id, this);
    }
    try {
      if ((await this.#execute(context)) === 'pushed') return;
    } catch (cause) {
      this.#release();
      return this.#failed(cause);
    }
    this.finish();
  }

  /** Nothing more will come. A client with a subscription is told. */
  finish(): void {
    this.#release();
    if (this.#isSubscription) this.respond({ type: 'stopped' });
  }

  respond(result: Result): void {
    this.connection.respond({ id: this.id, ...(this.jsonrpc && { jsonrpc: this.jsonrpc }), result });
  }

  /** Tells the application, and the client. */
  respondWithError(cause: unknown): void {
    const complaint = this.connection.complaint(cause, this.#asked);
    const { wire } = this.connection;
    wire.complain(complaint);
    const error = wire.shapeOf(complaint);
    this.connection.respond({ id: this.id, ...(this.jsonrpc && { jsonrpc: this.jsonrpc }), error });
  }

  /** Tells the application alone. */
  complain(cause: unknown): void {
    this.connection.wire.complain(this.connection.complaint(cause, this.#asked));
  }

  #release(): void {
    if (!this.#isSubscription) return;
    if (!this.connection.isOpen) this.abort();
    this.connection.subscriptions.delete(this.id);
  }

  #failed(cause: unknown): void {
    const { error } = this.connection.complaint(cause, this.#asked);
    // Who was told to stop before it had begun, and gave up: that is no failure.
    if (this.isStopped && error.code === 'INTERNAL_SERVER_ERROR' && isAbortError(error.cause)) {
      this.finish();
      return;
    }
    try {
      this.respondWithError(error);
    } catch (again) {
      this.connection.complainOfOurselves(again, this.#asked);
      const { id, jsonrpc } = this;
      this.connection.respondAnyhow(() => ({ id, ...(jsonrpc && { jsonrpc }), error: FALLBACK_SHAPE }));
    }
  }

  async #execute(context: Promise<ContextResult>): Promise<'done' | 'pushed'> {
    const made = await context;
    if (!made.ok) throw made.error;
    if (this.isStopped || (this.#isSubscription && !this.connection.isOpen)) return 'done';
    const { path, input } = this.#asked;
    const result: unknown = await callTRPCProcedure({
      router: this.connection.wire.router,
      path,
      getRawInput: async () => input,
      ctx: this.connection.ctx as object,
      type: this.#asked.type === 'unknown' ? 'query' : this.#asked.type,
      signal: this.signal,
      batchIndex: this.#batchIndex,
    });
    if (this.#isSubscription) return this.#subscribe(result);
    if (isAsyncIterable(result) || isObservable(result)) {
      throw new TRPCError({
        code: 'UNSUPPORTED_MEDIA_TYPE',
        message: `Cannot return an async iterable or observable from a ${this.#asked.type} procedure with WebSockets`,
      });
    }
    this.respond({ type: 'data', data: result });
    return 'done';
  }

  async #subscribe(result: unknown): Promise<'done' | 'pushed'> {
    if (!isAsyncIterable(result) && !isObservable(result)) {
      throw new TRPCError({
        code: 'INTERNAL_SERVER_ERROR',
        message: `Subscription ${this.#asked.path} did not return an observable or a AsyncGenerator`,
      });
    }
    if (!this.connection.isOpen) {
      this.abort();
      // Nobody has subscribed to it yet, so that there is nothing to end.
      if (isObservable(result)) return 'done';
    }
    if (isAsyncIterable(result) && isPushFeed(result) && this.connection.wire.saysJson) {
      if (this.isStopped) return 'done';
      this.respond({ type: 'started' });
      // From here on it is ended by what it gives back (`PushFeed`).
      this.#stopping = null;
      new PushSubscription(this).run(result);
      return 'pushed';
    }
    const iterable = isObservable(result) ? observableToAsyncIterable(result, this.signal) : result;
    if (!this.isStopped) this.respond({ type: 'started' });
    await this.#iterate(iterable);
    return 'done';
  }

  /** Every value there is, each when the reader has room for it. Ends what it began; what goes wrong is told in here. */
  async #iterate(iterable: AsyncIterable<unknown>): Promise<void> {
    const wasStopped = this.isStopped;
    let iterator: AsyncIterator<unknown> | undefined;
    let completed = false;
    let ended = false;
    let failure: { readonly cause: unknown } | undefined;
    try {
      iterator = iterable[Symbol.asyncIterator]();
      if (!wasStopped) completed = await this.#forward(iterator);
      ended = true;
    } catch (cause) {
      failure = { cause };
    }
    if (!completed) this.abort();
    try {
      if (iterator) await dispose(iterator);
    } catch (cause) {
      this.abort();
      if (failure) this.respondWithError(failure.cause);
      this.complain(cause);
      return;
    }
    if (failure && (ended || wasStopped)) this.complain(failure.cause);
    else if (failure) this.respondWithError(failure.cause);
  }

  /** Whether the iterator came to its end by itself. */
  async #forward(iterator: AsyncIterator<unknown>): Promise<boolean> {
    const { gate } = this.connection.line;
    for (;;) {
      if (!gate.isOpen) await gate.open(this.signal).catch(() => undefined);
      const next = await takeNext(iterator, this);
      if (next === Stopped) return false;
      if (next.done) return true;
      const { value } = next;
      if (isTrackedEnvelope(value)) {
        const [id, data] = value;
        this.respond({ type: 'data', data: { id, data }, id });
      } else {
        this.respond({ type: 'data', data: value });
      }
    }
  }
}

function withLastEventId(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input;
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input, lastEventId };
  return input ?? { lastEventId };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Symbol.asyncIterator in value;
}

function isAbortError(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'name' in cause && cause.name === 'AbortError';
}
