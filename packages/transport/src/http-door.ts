import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AnyRouter, inferRouterContext } from '@trpc/server';
import type { NodeHTTPCreateContextFnOptions } from '@trpc/server/adapters/node-http';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import type { CallError } from './door-options.ts';
import { findHostRefusal, refusalAnswer } from './guard.ts';

type HttpOpening = NodeHTTPCreateContextFnOptions<IncomingMessage, ServerResponse>;

interface HttpDoorOptions<TRouter extends AnyRouter> {
  /** Its `errorFormatter` is what stands between internal texts and clients. */
  readonly router: TRouter;
  createContext(opening: HttpOpening): Promise<inferRouterContext<TRouter>> | inferRouterContext<TRouter>;
  /** Under this path the router is served, such as `/trpc`. */
  readonly path: string;
  readonly hosts?: readonly string[];
  readonly maxBodyBytes?: number;
  readonly maxBatchSize?: number;
  onError?(failure: CallError): void;
}

/** Answers a request under the door's path. False: the request is not this door's, and nothing has been done with it. */
export type HttpDoor = (req: IncomingMessage, res: ServerResponse) => boolean;

/** Serves a tRPC router over HTTP: queries, mutations, and feeds as server-sent events. */
export function createHttpDoor<TRouter extends AnyRouter>(options: HttpDoorOptions<TRouter>): HttpDoor {
  return doorOf(options);
}

function doorOf(options: HttpDoorOptions<AnyRouter>): HttpDoor {
  const { path, hosts = [] } = options;
  const handle = createHTTPHandler({
    router: options.router,
    basePath: `${path}/`,
    maxBodySize: options.maxBodyBytes ?? 65_536,
    maxBatchSize: options.maxBatchSize ?? 128,
    createContext: (opening) => options.createContext(opening),
    onError: ({ error, path: procedure, type, ctx }) => options.onError?.({ error, path: procedure, type, ctx }),
  });
  return (req, res) => {
    const [asked = ''] = (req.url ?? '').split('?', 1);
    if (!asked.startsWith(`${path}/`)) return false;
    const refusal = findHostRefusal(req, hosts);
    if (refusal) {
      const answer = refusalAnswer(refusal);
      res.writeHead(refusal.status, answer.headers).end(answer.body);
    } else {
      handle(req, res);
    }
    return true;
  };
}

interface PublicServerOptions {
  readonly maxConnections?: number;
  /** How long a request may take to come in. */
  readonly requestWithinMs?: number;
  /** Requests that may take longer to come in than others: uploads. */
  readonly slow?: { readonly isSlow: (request: IncomingMessage) => boolean; readonly withinMs: number };
}

const REQUEST_WITHIN_MS = 10_000;

/** An HTTP server whose limits leave no room for requests that never end. The defaults of Node are minutes. */
export function createPublicServer(listener: RequestListener, options: PublicServerOptions = {}): Server {
  const { maxConnections, requestWithinMs = REQUEST_WITHIN_MS, slow } = options;
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: slow?.withinMs ?? requestWithinMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => {
      // Node has one limit for all requests of a server: where some may be slow, we hold the others to theirs.
      if (slow && !slow.isSlow(request)) cutOffLate(request, requestWithinMs);
      listener(request, response);
    },
  );
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  return server;
}

function cutOffLate(request: IncomingMessage, withinMs: number): void {
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, withinMs);
  request.once('close', () => clearTimeout(timer));
}
