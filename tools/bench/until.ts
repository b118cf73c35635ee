import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;
const PATIENCE_MS = 60_000;

/** Waits for something to become true; throws with its name when it does not. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !(await isSo()); await sleep(POLL_MS)) {
    if (performance.now() > deadline) throw new Error(`not so after ${PATIENCE_MS / 1_000} s: ${what}`);
  }
}
