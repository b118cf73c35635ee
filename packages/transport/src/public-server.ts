import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';

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
