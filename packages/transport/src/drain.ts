import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';

interface DrainOptions {
  /** Over this time the clients are asked, one after the other, to connect anew. */
  readonly windowMs: number;
  /** How long the last one asked has before it is closed. */
  readonly lingerMs?: number;
}

export type { DrainOptions };

const STEP_MS = 20;
const RECONNECT = '{"id":null,"method":"reconnect"}';
const RESTART_CODE = 1012;

/**
 * Empties a door. All at once would be a storm of reconnects on the other nodes, so that the requests are spread evenly over the window.
 * The stock client opens its next socket before it leaves this one. Resolves when every connection is gone.
 */
export async function emptyDoor(
  open: { readonly size: number; values(): Iterable<Connection> },
  options: DrainOptions,
): Promise<void> {
  const { windowMs, lingerMs = 5_000 } = options;
  const startedAt = Date.now();
  const everyone = [...open.values()];
  let asked = 0;
  while (open.size > 0 && Date.now() - startedAt < windowMs + lingerMs) {
    const share = windowMs === 0 ? 1 : (Date.now() - startedAt) / windowMs;
    for (const due = Math.ceil(share * everyone.length); asked < Math.min(due, everyone.length); asked++) {
      const socket = everyone[asked]?.socket;
      if (socket?.readyState === socket?.OPEN) socket?.send(RECONNECT);
    }
    await sleep(STEP_MS);
  }
  for (const connection of open.values()) connection.close(RESTART_CODE, 'restart');
  while (open.size > 0) await sleep(STEP_MS);
}
