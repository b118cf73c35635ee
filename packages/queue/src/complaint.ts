import type { Log } from '@parley/runtime';

/** Reports errors of one kind that may come a thousand times a second while a server is away. */
export type Complain = (error: unknown) => void;

/** Writes the first error, and then at most one line per `everyMs` that says how many there were. */
export function createComplaint(options: {
  log: Log;
  message: string;
  everyMs?: number;
  now?: () => number;
}): Complain {
  const { log, message, everyMs = 5_000, now = Date.now } = options;
  let saidAt = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (error) => {
    unsaid++;
    const at = now();
    if (at - saidAt < everyMs) return;
    log.warn({ err: error, times: unsaid }, message);
    saidAt = at;
    unsaid = 0;
  };
}
