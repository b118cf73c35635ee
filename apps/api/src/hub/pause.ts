interface Sleeper {
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Resolves after a while, or as soon as the signal is aborted. */
export async function pause(clock: Sleeper, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
