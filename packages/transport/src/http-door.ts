import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log, Metrics } from '@parley/runtime';
import { type AnyRouter, getTRPCErrorFromUnknown, type inferRouterContext, TRPCError } from '@trpc/server';
import { incomingMessageToRequest } from '@trpc/server/adapters/node-http';
import { resolveResponse, type TRPCRequestInfo } from '@trpc/server/http';
import { pack } from './compress.ts';
import { admitOrigin, answerPreflight, type CrossOriginRules } from './cross-origin.ts';
import type { CallError } from './door-options.ts';
import { type DrainOptions, emptyDoor } from './drain.ts';
import { EventStream, type StreamConnection, type StreamEnd } from './event-stream.ts';
import { findHostRefusal, type Refusal, refusalAnswer } from './guard.ts';
import { DOOR_LIMITS, type DoorLimits } from './limits.ts';

/** What `createContext` works from. */
export interface HttpOpening {
  readonly req: IncomingMessage;
  readonly info: TRPCRequestInfo;
  /** Where the events of a feed go; null when something else is asked for. */
  readonly stream: StreamConnection | null;
}

interface HttpDoorOptions<TRouter extends AnyRouter> extends Partial<CrossOriginRules> {
  /** Its `errorFormatter` is what stands between internal texts and clients. */
  readonly router: TRouter;
  createContext(opening: HttpOpening): Promise<inferRouterContext<TRouter>> | inferRouterContext<TRouter>;
  /** Under this path the router is served, such as `/trpc`. */
  readonly path: string;
  readonly hosts?: readonly string[];
  readonly maxBodyBytes?: number;
  readonly maxBatchSize?: number;
  /** Streams that may be open at once. */
  readonly maxStreams?: number;
  /** Whether answers are compressed for those who take it. */
  readonly compression?: boolean;
  readonly limits?: Partial<DoorLimits>;
  readonly log: Log;
  readonly metrics: Metrics;
  onError?(failure: CallError): void;
}

/** Where HTTP comes in. */
export interface HttpDoor {
  /** Answers a request under the door's path. False: the request is not this door's, and nothing has been done with it. */
  answer(req: IncomingMessage, res: ServerResponse): boolean;
  /** Lets no connection live longer than its present answer, and asks the streams, spread over the window, to come anew elsewhere. */
  drain(options: DrainOptions): Promise<void>;
}

/** Serves a tRPC router over HTTP: queries, mutations, and feeds as server-sent events. */
export function createHttpDoor<TRouter extends AnyRouter>(options: HttpDoorOptions<TRouter>): HttpDoor {
  return new Door(options);
}

class Door implements HttpDoor {
  readonly #options: HttpDoorOptions<AnyRouter>;
  readonly #limits: DoorLimits;
  readonly #crossOrigin: CrossOriginRules;
  readonly #streams = new Set<EventStream>();
  readonly #count: (why: StreamEnd) => void;
  #draining = false;

  constructor(options: HttpDoorOptions<AnyRouter>) {
    const { metrics, origins = [], allowedHeaders = ['content-type', 'authorization'] } = options;
    this.#options = options;
    this.#limits = { ...DOOR_LIMITS, ...options.limits };
    this.#crossOrigin = { origins, allowedHeaders };
    metrics.gauge('stream_connections', 'Open event streams', { collect: (gauge) => gauge.set(this.#streams.size) });
    const ends = metrics.counter('stream_ends_total', 'Event streams that are over, by reason', ['why']);
    this.#count = (why) => ends.inc({ why });
  }

  answer(req: IncomingMessage, res: ServerResponse): boolean {
    const { path, hosts = [], log } = this.#options;
    const [asked = ''] = (req.url ?? '').split('?', 1);
    if (!asked.startsWith(`${path}/`)) return false;
    res.on('error', (error) => log.debug({ err: error }, 'an answer failed'));
    if (this.#draining) res.setHeader('connection', 'close');
    const refusal = findHostRefusal(req, hosts) ?? admitOrigin(req, res, this.#crossOrigin);
    if (refusal) refuse(res, refusal);
    else if (req.method === 'OPTIONS') answerPreflight(res, this.#crossOrigin);
    else this.#serve(req, res, asked.slice(path.length + 1)).catch((error: unknown) => this.#failed(res, error));
    return true;
  }

  async drain(options: DrainOptions): Promise<void> {
    this.#draining = true;
    const farewell = { ask: (stream: EventStream) => stream.renew(), end: (stream: EventStream) => stream.destroy() };
    await emptyDoor(this.#streams, options, farewell);
  }

  async #serve(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const { router, maxBodyBytes = 65_536, maxBatchSize = 128, createContext, onError } = this.#options;
    const opened: { stream: EventStream | null } = { stream: null };
    const response = await resolveResponse({
      router,
      path,
      req: incomingMessageToRequest(req, res, { maxBodySize: maxBodyBytes }),
      error: null,
      maxBatchSize,
      createContext: ({ info }) => {
        if (info.type === 'subscription' && !info.isBatchCall) opened.stream = this.#open(res);
        return createContext({ req, info, stream: opened.stream });
      },
      onError: ({ error, path: procedure, type, ctx }) => {
        // Who is asked to come anew is told nothing else: no call has failed.
        if (!opened.stream?.isRenewed) onError?.({ error, path: procedure, type, ctx });
      },
    });
    writeHead(res, response);
    if (!opened.stream || !response.body) {
      await this.#send(req, res, response);
      return;
    }
    res.setHeader('cache-control', 'no-store, no-transform');
    res.flushHeaders();
    await opened.stream.carry(response.body);
  }

  #open(res: ServerResponse): EventStream {
    if (this.#streams.size >= (this.#options.maxStreams ?? this.#limits.connections)) {
      throw new TRPCError({ code: 'SERVICE_UNAVAILABLE', message: 'too many streams' });
    }
    const stream = new EventStream({
      res,
      limits: this.#limits,
      onEnd: (why) => {
        this.#streams.delete(stream);
        this.#count(why);
      },
    });
    this.#streams.add(stream);
    stream.run();
    // A connection that was kept alive leads here although nobody new is let in.
    if (this.#draining) stream.renew();
    return stream;
  }

  async #send(req: IncomingMessage, res: ServerResponse, response: Response): Promise<void> {
    const whole = new Uint8Array(await response.arrayBuffer());
    const { compression = true } = this.#options;
    const { body, encoding } = compression ? await pack(whole, req) : { body: whole, encoding: null };
    if (compression) setHeader(res, 'vary', 'accept-encoding');
    if (encoding) res.setHeader('content-encoding', encoding);
    // Set by the stock answer where it meant to send it in pieces.
    res.removeHeader('transfer-encoding');
    if (response.status !== 204) res.setHeader('content-length', body.byteLength);
    res.end(body);
  }

  #failed(res: ServerResponse, cause: unknown): void {
    const { log, onError } = this.#options;
    const error = getTRPCErrorFromUnknown(cause);
    if (onError) onError({ error, path: undefined, type: 'unknown', ctx: undefined });
    else log.error({ err: error }, 'an HTTP call failed');
    if (res.headersSent) res.destroy();
    else res.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"internal error"}}');
  }
}

function writeHead(res: ServerResponse, response: Response): void {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) {
    // How long a connection lives is this server's to say.
    if (name !== 'connection') setHeader(res, name, value);
  }
  res.setHeader('cache-control', 'no-store');
  res.setHeader('x-content-type-options', 'nosniff');
}

/** What an answer varies by is a list, to which each who has a say adds. */
function setHeader(res: ServerResponse, name: string, value: string): void {
  const known = name === 'vary' ? res.getHeader('vary') : undefined;
  res.setHeader(name, known === undefined ? value : `${known}, ${value}`);
}

function refuse(res: ServerResponse, refusal: Refusal): void {
  const { headers, body } = refusalAnswer(refusal);
  res.writeHead(refusal.status, headers).end(body);
}
