import type { IncomingMessage } from 'node:http';
import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server';
import type { TRPCClientOutgoingMessage } from '@trpc/server/rpc';
import type { RawData, WebSocket } from 'ws';
import { Call, type CallMessage } from './call.ts';
import { announcesParams, type ConnectionParams, readFrame, readParams, type Waiting } from './incoming.ts';
import type { Peer, PeerWatch } from './keep-alive.ts';
import type { Line } from './socket-handler.ts';
import { type Answer, type CallOfError, FALLBACK_SHAPE, NO_CALL, type Wire } from './wire.ts';

/** What the making of a context came to. */
export type ContextResult = { readonly ok: true } | { readonly ok: false; readonly error: TRPCError };

interface WireConnectionOptions {
  readonly wire: Wire;
  readonly ws: WebSocket;
  readonly req: IncomingMessage;
  readonly line: Line;
  readonly peers: PeerWatch | null;
}

const MADE: ContextResult = { ok: true };
/** Those of `PING` and `PONG`. */
const COMMAND_CHARS = 4;

/** One socket: what its client says is understood, run, and answered. */
export class WireConnection implements Peer {
  readonly wire: Wire;
  readonly ws: WebSocket;
  readonly line: Line;
  /** Subscriptions that are open, or about to be, by the id of their request. */
  readonly subscriptions = new Map<number | string, { abort(): void }>();
  heardAt = performance.now();
  asked = false;
  /** Null once nobody asks for it any more. */
  #req: IncomingMessage | null;
  readonly #peers: PeerWatch | null;
  #closed: AbortController | undefined;
  #ctx: unknown;
  /** Null while the client has still to say its parameters. */
  #context: Promise<ContextResult> | null = null;

  constructor({ wire, ws, req, line, peers }: WireConnectionOptions) {
    this.wire = wire;
    this.ws = ws;
    this.line = line;
    this.#req = req;
    this.#peers = peers;
  }

  run(): void {
    this.#peers?.add(this);
    if (!announcesParams(this.#req?.url)) this.#context = this.#makeContext(() => null);
  }

  get isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  get ctx(): unknown {
    return this.#ctx;
  }

  complaint(cause: unknown, call: CallOfError) {
    return { ...call, error: getTRPCErrorFromUnknown(cause), ctx: this.#ctx, req: this.#req };
  }

  /** Throws when the answer cannot be encoded. Once the socket closes nothing is said. */
  respond(answer: Answer): void {
    if (this.isOpen) this.line.writer.send(this.wire.encode(answer));
  }

  /** The same; when the answer cannot be made or encoded, the client is told so at least. */
  respondAnyhow(make: () => Answer): void {
    let answer: Answer | null = null;
    try {
      answer = make();
      this.respond(answer);
    } catch (cause) {
      this.complainOfOurselves(cause);
      if (answer === null) return;
      try {
        this.respond({ id: answer.id, ...(answer.jsonrpc && { jsonrpc: answer.jsonrpc }), error: FALLBACK_SHAPE });
      } catch {
        // Not even that can be encoded, for the reason that the application was just told.
      }
    }
  }

  complainOfOurselves(cause: unknown, call = NO_CALL): void {
    this.wire.complainOfOurselves(this.complaint(cause, call));
  }

  ask(): void {
    if (this.isOpen) this.line.writer.send('PING');
  }

  letGo(): void {
    this.ws.terminate();
  }

  /** The socket is gone. */
  ended(): void {
    this.#peers?.delete(this);
    for (const subscription of this.subscriptions.values()) subscription.abort();
    this.subscriptions.clear();
    this.#closed?.abort();
  }

  async #makeContext(params: () => ConnectionParams): Promise<ContextResult> {
    const closed = () => this.#closedSignal();
    const req = this.#req;
    if (req === null) throw new Error('a context is made once');
    if (!this.wire.options.keepsRequest) this.#req = null;
    try {
      this.#ctx = await this.wire.options.createContext?.({
        req,
        res: this.ws,
        info: {
          connectionParams: params(),
          calls: [],
          isBatchCall: false,
          accept: null,
          type: 'unknown',
          // Most contexts ask for none, and there are as many of them as sockets.
          get signal() {
            return closed();
          },
          url: null,
        },
      });
      return MADE;
    } catch (cause) {
      return { ok: false, error: this.#refused(cause) };
    }
  }

  #closedSignal(): AbortSignal {
    if (!this.#closed) {
      this.#closed = new AbortController();
      if (this.ws.readyState === this.ws.CLOSED) this.#closed.abort();
    }
    return this.#closed.signal;
  }

  #refused(cause: unknown): TRPCError {
    const complaint = this.complaint(cause, NO_CALL);
    this.wire.complain(complaint);
    this.respondAnyhow(() => ({ id: null, error: this.wire.shapeOf(complaint) }));
    setImmediate(() => this.ws.close());
    return complaint.error;
  }

  /** The socket failed. */
  failed(cause: Error): void {
    this.wire.complain(this.complaint(cause, NO_CALL));
  }

  /** A frame came. */
  heard(data: RawData, isBinary: boolean): void {
    this.heardAt = performance.now();
    this.asked = false;
    if (!Buffer.isBuffer(data)) {
      this.#refuse(new TRPCError({ code: 'UNPROCESSABLE_CONTENT', message: 'Unexpected WebSocket message format' }));
      return;
    }
    const text = isBinary ? null : data.toString();
    if (text?.length === COMMAND_CHARS) {
      if (text === 'PONG') return;
      if (text === 'PING') {
        if (!this.wire.options.dangerouslyDisablePong && this.isOpen) this.line.writer.send('PONG');
        return;
      }
    }
    const said = text ?? data;
    if (this.#context) this.#run(said, this.#context);
    else this.#context = this.#makeContext(() => readParams(this.wire, said));
  }

  #run(said: string | Uint8Array, context: Promise<ContextResult>): void {
    let index = 0;
    for (const message of this.#callsIn(said)) {
      const batchIndex = index++;
      try {
        if (message.id === null) this.#refuseNameless(message.jsonrpc);
        else if (message.method === 'subscription.stop') this.subscriptions.get(message.id)?.abort();
        else this.#call(new Call(this, message as CallMessage, batchIndex), context);
      } catch (cause) {
        this.complainOfOurselves(cause);
      }
    }
  }

  #call(call: Call, context: Promise<ContextResult>): void {
    call.run(context).catch((cause: unknown) => this.complainOfOurselves(cause));
  }

  #refuseNameless(jsonrpc: '2.0' | undefined): void {
    const complaint = this.complaint(new TRPCError({ code: 'PARSE_ERROR', message: '`id` is required' }), NO_CALL);
    this.wire.complain(complaint);
    this.respond({ id: null, ...(jsonrpc && { jsonrpc }), error: this.wire.shapeOf(complaint) });
  }

  #callsIn(said: string | Uint8Array): readonly TRPCClientOutgoingMessage[] {
    const incoming = readFrame(this.wire, said);
    if (incoming.type === 'calls') return incoming.messages;
    if (incoming.type === 'too many') this.#refuseBatch(incoming.waiting);
    else this.#refuse(new TRPCError({ code: 'PARSE_ERROR', cause: incoming.cause }));
    return [];
  }

  /** Answers what belongs to no call. */
  #refuse(error: TRPCError): void {
    this.respondAnyhow(() => ({ id: null, error: this.wire.shapeOf(this.complaint(error, NO_CALL)) }));
  }

  /** Each call that waits for an answer gets it. */
  #refuseBatch(waiting: readonly Waiting[]): void {
    const error = new TRPCError({ code: 'BAD_REQUEST', message: 'Batch call exceeds maximum size' });
    const complaint = this.complaint(error, NO_CALL);
    this.wire.complain(complaint);
    const shape = this.wire.shapeOf(complaint);
    for (const { id, jsonrpc } of waiting) {
      this.respondAnyhow(() => ({ id, ...(jsonrpc && { jsonrpc }), error: shape }));
    }
    if (waiting.length === 0) this.respondAnyhow(() => ({ id: null, error: shape }));
  }
}
