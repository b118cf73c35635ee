import { type Answer, comparePositions, type Member, type Parsed, type Position, type User } from '@parley/protocol';
import {
  changeMember,
  isPersisted,
  type MemberDeps,
  newMember,
  positionOfSettled,
  refuseDirect,
} from './change-member.ts';
import { Failure } from './failure.ts';
import { ENTRY_KINDS } from './log-line.ts';
import { PERSIST_WAIT_MS } from './send-message.ts';
import type { Settled } from './settle-operation.ts';

/**
 * Adds members, each by an entry of his own, and answers when Postgres has them (or after a deadline: they are in the log then).
 * The same operation again adds nobody twice. Stops at the first one who cannot be added; those before him are members.
 */
export function addMembers(deps: MemberDeps) {
  const change = changeMember(deps);
  return async (actorId: string, input: Parsed<'member.add'>): Promise<Answer<'member.add'>> => {
    const { channelId, role } = input;
    const userIds = [...new Set(input.userIds)];
    const [users] = await Promise.all([knownUsers(deps, userIds), refuseDirect(deps, channelId, actorId)]);
    using persisted = await deps.watch.watch(channelId);
    const operationId = input.op?.id ?? deps.ids.fresh();
    const built: Member[] = [];
    let last: Position | null = null;
    let open: Position | null = null;
    let isReached = true;
    try {
      for (const user of users) {
        const settled = await change({
          channelId,
          actorId,
          operationId: deps.ids.memberChange(operationId, user.id),
          repeat: input.op,
          kind: ENTRY_KINDS.joined,
          user,
          role,
        });
        built.push(newMember(user, role, joinedAt(settled, deps.clock.now())));
        last = later(last, positionOfSettled(settled));
        if (!isPersisted(settled)) open = later(open, positionOfSettled(settled));
      }
    } finally {
      // Also when one could not be added: those before him are members, and their sessions must hear of it.
      if (open) isReached = await persisted.until(open, PERSIST_WAIT_MS);
      const added = built.map((member) => member.userId);
      if (added.length > 0) deps.hints.tell(added, { type: 'channel.added', channelId });
    }
    const members = await withStored(deps, channelId, built);
    const level = isReached ? 'persisted' : 'accepted';
    return { epoch: deps.log.epochOf(channelId), position: last, level, members };
  };
}

async function knownUsers(deps: MemberDeps, userIds: readonly string[]): Promise<User[]> {
  const found = new Map((await deps.archive.joinable(userIds)).map((user) => [user.id, user]));
  return userIds.map((id) => {
    const user = found.get(id);
    if (!user) throw new Failure('NOT_FOUND', 'no such user');
    return user;
  });
}

function joinedAt(settled: Settled, now: number): number {
  if (settled.type === 'unchanged') return now;
  return settled.type === 'accepted' ? settled.place.at : settled.at;
}

function later(a: Position | null, b: Position | null): Position | null {
  if (!a || !b) return a ?? b;
  return comparePositions(a, b) < 0 ? b : a;
}

async function withStored(deps: MemberDeps, channelId: string, built: readonly Member[]): Promise<Member[]> {
  const userIds = built.map((member) => member.userId);
  const stored = new Map((await deps.archive.membersById(channelId, userIds)).map((m) => [m.userId, m]));
  return built.map((member) => stored.get(member.userId) ?? member);
}
