import type { DrainLog, DrainStore } from '@parley/domain';
import { backoffMs, type Clock, type Log, type Readiness } from '@parley/runtime';

interface Stores {
  readonly log: DrainLog;
  readonly store: DrainStore;
}

/** Whether both stores answer, each by a question that the drain asks them too. */
export async function storesReadiness({ log, store }: Stores): Promise<Readiness> {
  const questions = { 'log store': log.oldestAgeMs([0]), postgres: store.cursors() };
  const answers = await Promise.all(
    Object.entries(questions).map(async ([name, answer]) => [name, await outcomeOf(answer)] as const),
  );
  return { ok: answers.every(([, { ok }]) => ok), dependencies: Object.fromEntries(answers) };
}

async function outcomeOf(answer: Promise<unknown>): Promise<{ ok: boolean; detail?: string }> {
  try {
    await answer;
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Resolves with true once both stores answer, however long it takes; with false when it is aborted. */
export async function untilStoresReady(
  stores: Stores,
  { clock, logger, signal }: { clock: Clock; logger: Log; signal: AbortSignal },
): Promise<boolean> {
  for (let failures = 1; !signal.aborted; failures++) {
    const { ok, dependencies } = await storesReadiness(stores);
    if (ok) return true;
    logger.warn({ dependencies }, 'waiting for the stores');
    await clock.sleep(backoffMs(failures, { firstMs: 200, maxMs: 3_000 }), signal).catch(() => undefined);
  }
  return false;
}
