import type { IncomingMessage } from 'node:http';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
const LOOPBACK_PEER = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;

/**
 * Whether somebody on this very machine asks, by a name of this machine. A page of another site that had its name pointed here is not,
 * nor is whoever comes through a proxy.
 */
export function isLocal(request: IncomingMessage): boolean {
  const { origin, forwarded, 'x-forwarded-for': forwardedFor } = request.headers;
  if (forwarded !== undefined || forwardedFor !== undefined) return false;
  if (!LOOPBACK_PEER.test(request.socket.remoteAddress ?? '')) return false;
  const isOurName = (url: string) => LOOPBACK_NAMES.has(URL.parse(url)?.hostname ?? '');
  return isOurName(`http://${request.headers.host ?? ''}`) && (origin === undefined || isOurName(origin));
}
