import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why a request is not let in, as HTTP says it. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 503;
  /** One or two words, for the metrics and for the answer. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Which requests are let in. */
export interface GuardRules {
  /** The whole path, compared exactly; a query may follow. */
  readonly path: string;
  /** Origins that are let in beside the host's own, as browsers write them: `https://chat.example.com`. */
  readonly origins?: readonly string[];
  /** Host names that may be asked for, without port. Empty: any. */
  readonly hosts?: readonly string[];
}

const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * What speaks against a request, if anything. Never throws. What passes can be turned into a URL, which is where the stock adapter
 * throws inside an event handler and so ends the process (`GET //`, `Host: [`, `Host: a:99999`).
 */
export function findRefusal(req: IncomingMessage, rules: GuardRules): Refusal | undefined {
  const { hosts = [], origins = [] } = rules;
  const refusal = findHostRefusal(req, hosts);
  if (refusal) return refusal;
  if (req.url?.split('?', 1)[0] !== rules.path) return { status: 404, reason: 'no such path' };
  return findOriginRefusal(req, origins);
}

/** What speaks against the page that a request comes from. Never throws. */
export function findOriginRefusal(req: IncomingMessage, origins: readonly string[]): Refusal | undefined {
  const { host = '', origin } = req.headers;
  // No Origin: not a browser. It has no cookie of ours to ride on, only its own token.
  if (origin === undefined || origins.includes(origin) || isOwn(origin, host)) return undefined;
  return { status: 403, reason: 'origin' };
}

/** What speaks against a request's Host and URL alone. Never throws. */
export function findHostRefusal(req: IncomingMessage, hosts: readonly string[]): Refusal | undefined {
  const { host = '' } = req.headers;
  if (!HOST.test(host) || !URL.canParse(req.url ?? '', `http://${host}`)) return { status: 400, reason: 'bad host' };
  if (hosts.length === 0 || hosts.includes(new URL(`http://${host}`).hostname)) return undefined;
  return { status: 403, reason: 'host' };
}

/** Whether the page came from the host that it now asks. Its scheme decides which port may be left out. */
function isOwn(origin: string, host: string): boolean {
  const page = URL.parse(origin);
  return page !== null && page.host !== '' && page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}

const STATUS_TEXTS = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' };

/** The headers and the body of a refusal. */
export function refusalAnswer({ status, reason, retryAfterMs }: Refusal) {
  const body = `${STATUS_TEXTS[status]}: ${reason}\n`;
  const headers: Record<string, string> = {
    'content-type': 'text/plain',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  return { headers, body };
}

/** Answers an upgrade request with plain HTTP and ends the socket. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const { headers, body } = refusalAnswer(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${refusal.status} ${STATUS_TEXTS[refusal.status]}`, ...lines, '', body].join('\r\n'));
}
