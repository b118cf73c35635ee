import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import sirv from 'sirv';

/** What the page may do: run its own code, speak to its own server, and nothing else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the built web page. Where none is built there is a line of text that says so. */
export function createWebPage(root: string): Page {
  if (!existsSync(root)) return nothingBuilt;
  const files = sirv(root, {
    etag: true,
    setHeaders: (response, path) => {
      // The names of assets change with their contents.
      response.setHeader(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });
  return (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    files(request, response, () => notFound(response));
  };
}

function nothingBuilt(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/') {
    response
      .writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' })
      .end('Parley is running. Its web page is not built: run `npm run build`.\n');
    return;
  }
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  notFound(response);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
}
