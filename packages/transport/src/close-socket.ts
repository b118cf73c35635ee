import type { WebSocket } from 'ws';

/** A peer that has not answered the close frame by then is cut off. ws itself would wait for 30 s. */
const TERMINATE_AFTER_MS = 2_000;
const REASON_MAX_BYTES = 123;

/** Closes a socket with a code, and makes sure that it is gone soon, whatever the peer does. */
export function closeSocket(ws: WebSocket, code: number, reason: string): void {
  if (ws.readyState === ws.CLOSED) return;
  // A paused socket would never read the peer's answer.
  ws.resume();
  if (ws.readyState === ws.OPEN) ws.close(code, cut(reason));
  const timer = setTimeout(() => ws.terminate(), TERMINATE_AFTER_MS);
  ws.once('close', () => clearTimeout(timer));
}

/** ws throws when the reason does not fit into a control frame. */
function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= REASON_MAX_BYTES) return reason;
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, REASON_MAX_BYTES - 3), { stream: true });
}
