import type { Answer, Parsed } from '@parley/protocol';
import { changeMember, isPersisted, type MemberDeps, positionOfSettled } from './change-member.ts';
import type { SummaryDeps } from './channel-cards.ts';
import { Failure } from './failure.ts';
import { ENTRY_KINDS } from './log-line.ts';
import type { Archive } from './ports/archive.ts';
import type { Limiter } from './ports/limiter.ts';
import { LEAST_RANK } from './ranks.ts';
import { removeMember } from './remove-member.ts';
import { PERSIST_WAIT_MS } from './send-message.ts';
import { notFound } from './settle-operation.ts';
import { findChannel } from './summarise-channels.ts';
import { orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';

export interface JoinDeps extends MemberDeps, Omit<SummaryDeps, 'archive' | 'log'> {
  readonly archive: MemberDeps['archive'] & SummaryDeps['archive'] & Pick<Archive, 'admission' | 'forgetInvitation'>;
  readonly limiter: Limiter;
}

/** Comes into a public channel, or into one that one was invited to. Answers when Postgres has it, or after a deadline. */
export function joinChannel(deps: JoinDeps) {
  const change = changeMember(deps);
  const find = findChannel(deps);
  return async (userId: string, { channelId, op }: Parsed<'channel.join'>): Promise<Answer<'channel.join'>> => {
    const [admission, [user]] = await Promise.all([
      deps.archive.admission(channelId, userId),
      deps.archive.users([userId]),
    ]);
    // Of a channel that nobody may come into by himself he learns nothing.
    if (!admission || !user || (admission.kind !== 'public' && !admission.invited)) {
      const present = user && (await find(userId, channelId));
      if (!present) throw notFound();
      return { ...present, epoch: deps.log.epochOf(channelId), position: null, level: 'accepted' };
    }
    await takeJoin(deps.limiter, userId);
    using persisted = await deps.watch.watch(channelId);
    const settled = await change({
      channelId,
      actorId: userId,
      operationId: op?.id ?? deps.ids.fresh(),
      repeat: op,
      kind: ENTRY_KINDS.joined,
      user,
      role: 'member',
      admitted: true,
      // A silence is not shaken off by leaving.
      ...(admission.silencedUntil > deps.clock.now() && { silencedUntil: admission.silencedUntil }),
    });
    const position = positionOfSettled(settled);
    const isReached = position === null || isPersisted(settled) || (await persisted.until(position, PERSIST_WAIT_MS));
    if (admission.invited) await deps.archive.forgetInvitation(channelId, userId);
    deps.hints.tell([userId], { type: 'channel.added', channelId });
    const summary = await orWhenAway(() => find(userId, channelId), null);
    // He is in the log, and will be in Postgres: the same call again finds him there.
    if (!summary) throw new Failure('UNKNOWN_RETRY', 'the joining is not persisted yet', { retryAfterMs: 1_000 });
    const level = isReached ? 'persisted' : 'accepted';
    return { ...summary, epoch: deps.log.epochOf(channelId), position, level };
  };
}

async function takeJoin(limiter: Limiter, userId: string): Promise<void> {
  const { allowed, retryAfterMs } = await limiter.take('channel.join', userId);
  if (!allowed) throw new Failure('RATE_LIMITED', 'too many channels joined', { retryAfterMs });
}

/** Leaves a channel; the two of a direct one stay. */
export function leaveChannel(deps: MemberDeps) {
  const remove = removeMember(deps);
  return (userId: string, { channelId, op }: Parsed<'channel.leave'>): Promise<Answer<'channel.leave'>> =>
    remove(userId, { channelId, userId, op });
}

export interface InviteDeps extends Omit<ViewDeps, 'log'>, Pick<MemberDeps, 'hints'> {
  readonly log: ViewDeps['log'] & Pick<MemberDeps['log'], 'epochOf'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'invite' | 'channel'>;
}

/** Invites users, who may then come in by themselves. Each is invited once; members are left out. */
export function inviteToChannel(deps: InviteDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'channel.invite'>): Promise<Answer<'channel.invite'>> => {
    const { channelId } = input;
    const userIds = [...new Set(input.userIds)];
    const [seen, row] = await Promise.all([view(channelId, userId), deps.archive.channel(channelId, userId)]);
    if (!row) throw notFound();
    if (row.channel.kind === 'direct') throw new Failure('FORBIDDEN', 'a direct channel keeps its two members');
    if (seen && seen.rank < LEAST_RANK['channel.invite'])
      throw new Failure('FORBIDDEN', 'your role does not allow this');
    if (seen?.archivedAt) throw new Failure('FORBIDDEN', 'the channel is archived');
    if (!seen) throw new Failure('UNAVAILABLE', 'The message log is away.', { retryAfterMs: 1_000 });
    const invited = await deps.archive.invite({ channelId, invitedBy: userId, userIds });
    deps.hints.tell(invited, { type: 'channel.invited', channelId });
    return { epoch: deps.log.epochOf(channelId), invited };
  };
}
