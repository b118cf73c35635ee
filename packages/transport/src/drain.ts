import { setTimeout as sleep } from 'node:timers/promises';

interface DrainOptions {
  /** Over this time the clients are asked, one after the other, to connect anew. */
  readonly windowMs: number;
  /** How long the last one asked has before it is closed. */
  readonly lingerMs?: number;
}

export type { DrainOptions };

/** How those who are connected are sent elsewhere. */
interface Farewell<T> {
  /** Asks one to connect anew. */
  ask(connection: T): void;
  /** Ends the connection of one who did not. */
  end(connection: T): void;
}

const STEP_MS = 20;

/**
 * Empties a door. All at once would be a storm of reconnects on the other nodes, so that the requests are spread evenly over the window.
 * The stock client opens its next socket before it leaves this one. Resolves when every connection is gone.
 */
export async function emptyDoor<T>(
  open: { readonly size: number; values(): Iterable<T> },
  options: DrainOptions,
  { ask, end }: Farewell<T>,
): Promise<void> {
  const { windowMs, lingerMs = 5_000 } = options;
  const startedAt = Date.now();
  const everyone = [...open.values()];
  let asked = 0;
  while (open.size > 0 && Date.now() - startedAt < windowMs + lingerMs) {
    const share = windowMs === 0 ? 1 : (Date.now() - startedAt) / windowMs;
    const due = Math.min(Math.ceil(share * everyone.length), everyone.length);
    for (const connection of everyone.slice(asked, due)) ask(connection);
    asked = Math.max(asked, due);
    await sleep(STEP_MS);
  }
  // A thread that was held up has still to ask the last ones.
  for (const connection of everyone.slice(asked)) ask(connection);
  for (const connection of open.values()) end(connection);
  while (open.size > 0) await sleep(STEP_MS);
}
