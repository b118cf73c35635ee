/** Runs a piece of work when asked, but not more often than it should. */
export interface Throttle {
  /** Runs it now, or once after the pause: whatever was asked during the pause is served by that one run. */
  ask(): void;
  /** Forgets what was asked and runs nothing more. */
  stop(): void;
}

/**
 * Leading and trailing edge: at most one run per `everyMs` and never two at once, and never an ask without a run that begins after it.
 * `work` must not reject.
 */
export function createThrottle(options: { everyMs: number; work(): Promise<void> }): Throttle {
  let asked = false;
  let stopped = false;
  let resting = false;
  let timer: NodeJS.Timeout | undefined;

  async function go(): Promise<void> {
    resting = true;
    asked = false;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, options.everyMs);
    });
    await Promise.all([options.work(), pause]);
    resting = false;
    if (asked && !stopped) void go();
  }

  return {
    ask() {
      if (stopped) return;
      asked = true;
      if (!resting) void go();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
