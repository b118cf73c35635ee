import { Failure } from './failure.ts';
import { forgetUser } from './forget-user.ts';
import { ENTRY_KINDS, type MemberPayload } from './log-line.ts';
import { partitionOf } from './partition.ts';
import type { Copies } from './ports/copies.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { EraseStore, Erasure, ErasureMemory, JobPurge, WindowPurge } from './ports/erasure.ts';
import type { EverybodyHints } from './ports/everybody-hints.ts';
import type { MessageLog } from './ports/message-log.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import { RANKS } from './ranks.ts';
import { type SettleDeps, settleOperation } from './settle-operation.ts';

export interface EraseDeps extends SettleDeps {
  readonly store: EraseStore;
  readonly log: SettleDeps['log'] & Pick<MessageLog, 'change'>;
  readonly windows: WindowPurge;
  readonly jobs: JobPurge;
  readonly memory: ErasureMemory;
  readonly hints: EverybodyHints;
  readonly copies: Pick<Copies, 'changed' | 'clear'>;
  readonly doorbell: Doorbell;
  readonly ids: Pick<OperationIds, 'fresh'>;
  /** Resolves when everything that is in the log by now is in Postgres. */
  readonly drained: (signal: AbortSignal) => Promise<void>;
}

/** What a deleted user is called. */
export const DELETED_NAME = 'Deleted user';

const MEMBERSHIPS_AT_ONCE = 100;
const PURGE_TRIES = 5;

/**
 * Makes everything be forgotten that a user said and was; what he did keeps its positions. May be broken off at any point and called
 * again: it goes on where it was, and does nothing twice. The order matters: he says no more, then what he said is in Postgres, then it
 * is blanked there, and only then is it cut out of the windows, whose readers turn to Postgres.
 */
export function eraseUser(deps: EraseDeps) {
  return async ({ userId, askedAt, afterChannel, erased }: Erasure, signal: AbortSignal): Promise<void> => {
    const { store, hints } = deps;
    await deps.memory.remember(userId, askedAt);
    await store.beginErasure(userId);
    await forgetUser(deps.copies, userId);
    await hints.tell({ type: 'user.standing', userId });
    await leaveAll(deps, userId, signal);
    await deps.drained(signal);
    const counts = add(erased, { channel_members: await store.dropMemberships(userId) });
    const rows = add(counts, await store.eraseRows(userId));
    const messages = await eraseWords(deps, { userId, after: afterChannel }, signal);
    const jobs = await deps.jobs.purge(userId);
    await forgetUser(deps.copies, userId);
    await hints.tell({ type: 'user.erased', userId });
    await store.completeErasure(userId, add(rows, { messages, jobs }));
  };
}

async function leaveAll(deps: EraseDeps, userId: string, signal: AbortSignal): Promise<void> {
  const left = new Set<string>();
  for (;;) {
    signal.throwIfAborted();
    const channelIds = await deps.store.membershipsOf(userId, MEMBERSHIPS_AT_ONCE);
    const fresh = channelIds.filter((channelId) => !left.has(channelId));
    for (const channelId of fresh) {
      await leave(deps, channelId, userId);
      left.add(channelId);
    }
    if (channelIds.length < MEMBERSHIPS_AT_ONCE) return;
    // What was left stays in Postgres until the log has got there.
    if (fresh.length === 0) await deps.drained(signal);
  }
}

/** His leaving is an entry like any other. One who is a member by Postgres' word alone is removed there later. */
async function leave(deps: EraseDeps, channelId: string, userId: string): Promise<void> {
  const operationId = deps.ids.fresh();
  const payload: Omit<MemberPayload, 'version'> = {
    id: operationId,
    channelId,
    actorId: userId,
    userId,
    rank: null,
    name: DELETED_NAME,
  };
  const entry = {
    channelId,
    actorId: userId,
    operationId,
    kind: ENTRY_KINDS.left,
    userId,
    rank: null,
    leastRank: RANKS.guest,
    json: JSON.stringify(payload),
  };
  const attempt = { channelId, actorId: userId, operationId, repeat: undefined };
  try {
    await settleOperation(deps)({ ...attempt, put: () => deps.log.change(entry) });
    deps.doorbell.ring(partitionOf(channelId));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error;
  }
}

async function eraseWords(
  deps: EraseDeps,
  { userId, after }: { userId: string; after: string | null },
  signal: AbortSignal,
): Promise<number> {
  let messages = 0;
  for (let from = after; ; ) {
    signal.throwIfAborted();
    const stretch = await deps.store.eraseMessages(userId, from);
    messages += stretch.messages;
    if (stretch.more) continue;
    const last = stretch.channelIds.at(-1);
    if (last === undefined) return messages;
    await purge(deps, { userId, channelIds: stretch.channelIds }, signal);
    await deps.store.erasedUpTo(userId, last);
    from = last;
  }
}

async function purge(
  deps: EraseDeps,
  { userId, channelIds }: { userId: string; channelIds: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  let left: readonly string[] = channelIds;
  for (let tries = 0; tries < PURGE_TRIES && left.length > 0; tries++) {
    if (tries > 1) await deps.log.renew();
    const { missing, waiting } = await deps.windows.purge(userId, left);
    for (const channelId of missing) await deps.log.load(channelId);
    if (waiting.length > 0) await deps.drained(signal);
    left = [...missing, ...waiting];
  }
  if (left.length > 0) {
    throw new Failure('UNAVAILABLE', `${left.length} windows still hold what a user said`, { retryAfterMs: 1_000 });
  }
}

function add(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sums = { ...a };
  for (const [name, count] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
