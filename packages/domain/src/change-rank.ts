import type { Answer, Parsed, User } from '@parley/protocol';
import { changeMember, type MemberDeps, positionOfSettled, refuseDirect } from './change-member.ts';
import { Failure } from './failure.ts';
import { ENTRY_KINDS } from './log-line.ts';
import { notFound } from './settle-operation.ts';

/** Gives a member another role: below one's own, an owner may make another owner. */
export function setRole(deps: MemberDeps) {
  const change = changeMember(deps);
  return async (actorId: string, input: Parsed<'member.setRole'>): Promise<Answer<'member.setRole'>> => {
    const { channelId, userId, role, op } = input;
    const [user] = await Promise.all([knownUser(deps, userId), refuseDirect(deps, channelId, actorId)]);
    const operationId = op?.id ?? deps.ids.fresh();
    const { updated: kind } = ENTRY_KINDS;
    const settled = await change({ channelId, actorId, operationId, repeat: op, kind, user, role });
    return answerOf(deps, channelId, settled);
  };
}

/** Forbids a member of a lower role to speak until a time; null lets him speak again. He can still read and leave. */
export function silenceMember(deps: MemberDeps) {
  const change = changeMember(deps);
  return async (actorId: string, input: Parsed<'member.silence'>): Promise<Answer<'member.silence'>> => {
    const { channelId, userId, until, op } = input;
    if (userId === actorId) throw new Failure('INVALID', 'nobody silences himself');
    const [user] = await Promise.all([knownUser(deps, userId), refuseDirect(deps, channelId, actorId)]);
    const settled = await change({
      channelId,
      actorId,
      operationId: op?.id ?? deps.ids.fresh(),
      repeat: op,
      kind: ENTRY_KINDS.updated,
      user,
      role: null,
      silencedUntil: until ?? 0,
    });
    return answerOf(deps, channelId, settled);
  };
}

async function knownUser(deps: Pick<MemberDeps, 'archive'>, userId: string): Promise<User> {
  const [user] = await deps.archive.users([userId]);
  if (!user) throw notFound();
  return user;
}

type Settled = Awaited<ReturnType<ReturnType<typeof changeMember>>>;

function answerOf(deps: Pick<MemberDeps, 'log'>, channelId: string, settled: Settled): Answer<'member.setRole'> {
  const level = settled.type === 'duplicate' ? settled.level : 'accepted';
  return { epoch: deps.log.epochOf(channelId), position: positionOfSettled(settled), level };
}
