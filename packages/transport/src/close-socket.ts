import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';

/** A peer that has not answered the close frame by then is cut off. ws itself would wait for 30 s. */
const TERMINATE_AFTER_MS = 2_000;
const REASON_MAX_BYTES = 123;

/** Closes a socket with a code, and makes sure that it is gone soon, whatever the peer does. */
export function closeSocket(ws: WebSocket, code: number, reason: string): void {
  close(ws, { code, reason, end: () => ws.terminate() });
}

/** The same for one who does not read. */
export function closeSlowSocket(ws: WebSocket, socket: Duplex, code: number): void {
  close(ws, { code, reason: 'slow', end: () => dropSocket(socket) });
}

/**
 * Ends a connection whose peer does not read. What the system took for him, up to 4 MB, it would try to bring to him for minutes after an
 * ordinary end: it is thrown away.
 */
export function dropSocket(socket: Duplex): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else socket.destroy();
}

function close(ws: WebSocket, { code, reason, end }: { code: number; reason: string; end: () => void }): void {
  if (ws.readyState === ws.CLOSED) return;
  // A paused socket would never read the peer's answer.
  ws.resume();
  if (ws.readyState === ws.OPEN) ws.close(code, cut(reason));
  const timer = setTimeout(end, TERMINATE_AFTER_MS);
  ws.once('close', () => clearTimeout(timer));
}

/** ws throws when the reason does not fit into a control frame. */
function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= REASON_MAX_BYTES) return reason;
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, REASON_MAX_BYTES - 3), { stream: true });
}
