import { type AttachmentCursor, type AttachmentGraves, type Clock, type ObjectStore, objectKeys } from '@parley/domain';

interface CleanUpDeps {
  readonly graves: AttachmentGraves;
  readonly objects: Pick<ObjectStore, 'delete' | 'removeUnfinished'>;
  readonly clock: Pick<Clock, 'now'>;
  /** How long messages are kept; null: for ever. */
  readonly retentionMs: number | null;
  readonly batchSize?: number;
}

const HOUR_MS = 3_600_000;
/** What is in no message a day after it was announced was given up. */
const UNUSED_FOR_MS = 24 * HOUR_MS;
/** A message is in Postgres long before: this one was refused. */
const UNSENT_FOR_MS = 7 * 24 * HOUR_MS;
const BATCH_SIZE = 200;

/**
 * Removes attachments that are in nobody's hands: never sent, of messages that are deleted or never came to be, or past the retention.
 * First from reach, then from the storage, then from Postgres: a run that ends in the middle is finished by the next one, and two at
 * once do no harm. Says how many it removed.
 */
export function createAttachmentCleanUp(deps: CleanUpDeps) {
  const { graves, objects, clock, retentionMs, batchSize = BATCH_SIZE } = deps;
  return async (signal?: AbortSignal): Promise<number> => {
    const now = clock.now();
    const cutoffs = {
      unused: now - UNUSED_FOR_MS,
      unsent: now - UNSENT_FOR_MS,
      retention: retentionMs === null ? null : now - retentionMs,
    };
    let removed = 0;
    let after: AttachmentCursor | null = null;
    do {
      const { condemned, next } = await graves.condemn(after, { cutoffs, limit: batchSize });
      await objects.delete(condemned.flatMap((id) => Object.values(objectKeys).map((keyOf) => keyOf(id))));
      await graves.bury(condemned);
      removed += condemned.length;
      after = next;
    } while (after && !signal?.aborted);
    await objects.removeUnfinished(UNUSED_FOR_MS);
    return removed;
  };
}
