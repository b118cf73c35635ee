import { createServer, type RequestListener, type Server } from 'node:http';

/** An HTTP server whose limits leave no room for requests that never end. The defaults of Node are minutes. */
export function createPublicServer(listener: RequestListener, options: { maxConnections?: number } = {}): Server {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 8_192,
    },
    listener,
  );
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  return server;
}
