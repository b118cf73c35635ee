import type { AdminStore, Erasure, ErasureMemory } from '@parley/domain';
import { type Log, Loop } from '@parley/runtime';

interface ChoreDeps {
  readonly store: Pick<AdminStore, 'pendingErasures' | 'recallErasures' | 'deletions'>;
  readonly memory: ErasureMemory;
  readonly erase: (erasure: Erasure, signal: AbortSignal) => Promise<void>;
  readonly removeDeleted: (channelId: string, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

const EVERY_MS = 60_000;

/**
 * Does what is asked for and takes long: erasures and deletions, those that were broken off, and those of which a restored Postgres
 * knows nothing. All of it may be done twice, also by two processes at once. Rejects when something of it could not be done.
 */
export function doChores({ store, memory, erase, removeDeleted, log }: ChoreDeps) {
  return async (signal: AbortSignal): Promise<void> => {
    await store.recallErasures(await memory.all());
    const chores = [
      ...(await store.pendingErasures()).map((erasure) => {
        return { userId: erasure.userId, work: () => erase(erasure, signal) };
      }),
      ...(await store.deletions()).map((channelId) => ({ channelId, work: () => removeDeleted(channelId, signal) })),
    ];
    let failed = 0;
    for (const { work, ...target } of chores) {
      signal.throwIfAborted();
      try {
        await work();
        log.info(target, 'erased');
      } catch (error) {
        // One that cannot be done now must not keep the others waiting.
        failed++;
        log.warn({ err: error, ...target }, 'not erased yet');
      }
    }
    if (failed > 0) throw new Error(`${failed} of ${chores.length} erasures are not done yet`);
  };
}

/** The chores, once a minute, and as soon as there is a new one. */
export function createChores(work: (signal: AbortSignal) => Promise<void>, log: Log): Loop {
  return new Loop({ name: 'chores', everyMs: EVERY_MS, work, log });
}
