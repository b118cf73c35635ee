import type { Answer, Parsed, Position } from '@parley/protocol';
import { changeMember, isPersisted, type MemberDeps, positionOfSettled, refuseDirect } from './change-member.ts';
import { Failure } from './failure.ts';
import { ENTRY_KINDS } from './log-line.ts';
import { PERSIST_WAIT_MS } from './send-message.ts';

/**
 * Removes a member, or leaves. Answers when Postgres has it: from then on nothing newer reaches the removed one, whatever is lost.
 * `UNKNOWN_RETRY` when that could not be seen in time: the removal is in the log, and the same operation may be sent again.
 */
export function removeMember(deps: MemberDeps) {
  const change = changeMember(deps);
  return async (actorId: string, input: Parsed<'member.remove'>): Promise<Answer<'member.remove'>> => {
    const { channelId, userId } = input;
    const [users] = await Promise.all([deps.archive.users([userId]), refuseDirect(deps, channelId, actorId)]);
    using persisted = await deps.watch.watch(channelId);
    const operationId = input.op?.id ?? deps.ids.fresh();
    const settled = await change({
      channelId,
      actorId,
      operationId,
      repeat: input.op,
      kind: ENTRY_KINDS.left,
      user: users[0] ?? { id: userId, name: '' },
      role: null,
    });
    const position = positionOfSettled(settled);
    if (position === null) await confirmGone(deps, channelId, userId);
    else if (!isPersisted(settled) && !(await persisted.until(position, PERSIST_WAIT_MS))) {
      await confirm(deps, { channelId, actorId, operationId, position });
    }
    deps.hints.tell([userId], {
      type: 'channel.removed',
      channelId,
      reason: userId === actorId ? 'left' : 'removed',
    });
    return { epoch: deps.log.epochOf(channelId), position, level: 'persisted' };
  };
}

/** Somebody else's removal (or an unnamed repetition of this one) made him a stranger in the log: Postgres may not have it yet. */
async function confirmGone(deps: MemberDeps, channelId: string, userId: string): Promise<void> {
  const [member] = await deps.archive.membersById(channelId, [userId]);
  if (member) throw notYet(`${userId} is a member in Postgres`);
}

function notYet(cause: string): Failure {
  return new Failure('UNKNOWN_RETRY', 'the removal is not persisted yet', { retryAfterMs: 1_000, cause });
}

/** The mark may have been lost on its way: Postgres has the last word. */
async function confirm(
  deps: MemberDeps,
  { position, ...operation }: { channelId: string; actorId: string; operationId: string; position: Position },
): Promise<void> {
  const outcome = await deps.archive.outcome(operation);
  if (outcome?.type === 'persisted') return;
  if (outcome) throw new Failure('INVALID', 'this operation was rejected');
  throw notYet(`no outcome of ${position}`);
}
