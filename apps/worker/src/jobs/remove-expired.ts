import type { Clock, Copies, HeaderRegister, Housekeeping } from '@parley/domain';
import type { Log } from '@parley/runtime';

interface RemoveExpiredParts {
  readonly store: Housekeeping;
  readonly register: Pick<HeaderRegister, 'trimWindow'>;
  /** Those of pages and tips show messages for a while after they were removed. */
  readonly copies: Pick<Copies, 'clear'>;
  readonly clock: Clock;
  readonly logger: Log;
  /** Null: messages are kept for ever. */
  readonly messageDays: number | null;
  readonly deletedDays: number;
  readonly analyticsDays: number;
}

const DAY_MS = 24 * 3_600_000;
const CHANNELS_AT_ONCE = 100;
const ENTRIES_AT_ONCE = 1_000;
const ROWS_AT_ONCE = 1_000;

/** The job `remove-expired`: in small batches, what is older than it may be. Ended by the signal it goes on at its next time. */
export function createRemoveExpired(parts: RemoveExpiredParts) {
  const { store, clock, messageDays, deletedDays, analyticsDays } = parts;
  return async (_payload: object, signal: AbortSignal): Promise<void> => {
    const nowMs = clock.now();
    if (messageDays !== null) {
      const beforeMs = nowMs - messageDays * DAY_MS;
      await removeMessages(parts, beforeMs, signal);
      await untilFew(() => store.forgetDeadLetters({ beforeMs, limit: ROWS_AT_ONCE }), signal);
    }
    const blank = () => store.blankDeleted({ beforeMs: nowMs - deletedDays * DAY_MS, limit: ROWS_AT_ONCE });
    await untilFew(blank, signal);
    await untilFew(() => store.removeStale({ nowMs, limit: ROWS_AT_ONCE }), signal);
    await store.forgetDays(nowMs - analyticsDays * DAY_MS);
  };
}

async function removeMessages(parts: RemoveExpiredParts, beforeMs: number, signal: AbortSignal): Promise<void> {
  let afterId: string | null = null;
  let removed = 0;
  while (!signal.aborted) {
    const channelIds: string[] = await parts.store.expiredChannels({ beforeMs, afterId, limit: CHANNELS_AT_ONCE });
    for (const channelId of channelIds) removed += await removeFrom(parts, { channelId, beforeMs, signal });
    afterId = channelIds.at(-1) ?? null;
    if (channelIds.length < CHANNELS_AT_ONCE) break;
  }
  if (removed === 0) return;
  parts.logger.info({ messages: removed }, 'messages that were too old are removed');
  await clearCopies(parts);
}

/** Copies end by themselves soon: a store of copies that is away is no reason to do the whole job again. */
async function clearCopies({ copies, logger }: RemoveExpiredParts): Promise<void> {
  try {
    await Promise.all([copies.clear('pages'), copies.clear('tips')]);
  } catch (error) {
    logger.warn({ err: error }, 'copies of removed messages could not be forgotten');
  }
}

interface Expired {
  readonly channelId: string;
  readonly beforeMs: number;
  readonly signal: AbortSignal;
}

async function removeFrom(parts: RemoveExpiredParts, { channelId, beforeMs, signal }: Expired): Promise<number> {
  let messages = 0;
  while (!signal.aborted) {
    const removal = await parts.store.removeExpired({ channelId, beforeMs, limit: ENTRIES_AT_ONCE });
    messages += removal.messages;
    if (removal.upTo === null) break;
    // Postgres has committed them, so the window does not need them; it must not show them any longer either.
    await parts.register.trimWindow(channelId, removal.upTo);
    if (removal.messages + removal.changes < ENTRIES_AT_ONCE) break;
  }
  return messages;
}

async function untilFew(batch: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await batch()) >= ROWS_AT_ONCE);
}
