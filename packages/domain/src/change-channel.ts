import type { Answer, Channel, Parsed } from '@parley/protocol';
import { positionOfSettled } from './change-member.ts';
import { Failure } from './failure.ts';
import { type ChannelPayload, ENTRY_KINDS } from './log-line.ts';
import { partitionOf } from './partition.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews, Stated } from './ports/channel-view.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { Amendment, MessageLog } from './ports/message-log.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import { LEAST_RANK, type Rank } from './ranks.ts';
import { notFound, type SettleDeps, settleOperation } from './settle-operation.ts';
import { type MemberView, type ViewDeps, viewChannel } from './view-channel.ts';

export interface ChangeChannelDeps extends SettleDeps, ViewDeps {
  readonly log: SettleDeps['log'] & ViewDeps['log'] & Pick<MessageLog, 'amend'>;
  readonly archive: SettleDeps['archive'] & Pick<Archive, 'channel'>;
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'states'>;
  readonly doorbell: Doorbell;
  readonly ids: OperationIds;
}

/** Gives a channel another name, topic or picture. What is not named stays. */
export function updateChannel(deps: ChangeChannelDeps) {
  const change = changeChannel(deps, LEAST_RANK['channel.update']);
  return (userId: string, { channelId, op, ...given }: Parsed<'channel.update'>): Promise<Answer<'channel.update'>> => {
    const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    return change(userId, { channelId, op }, { kind: ENTRY_KINDS.changed, fields, archived: null });
  };
}

/** Closes a channel to whatever is new, or opens it again. It can still be read and left. */
export function archiveChannel(deps: ChangeChannelDeps) {
  const change = changeChannel(deps, LEAST_RANK['channel.archive']);
  return (userId: string, { channelId, op, archived }: Parsed<'channel.archive'>): Promise<Answer<'channel.archive'>> =>
    change(userId, { channelId, op }, { kind: ENTRY_KINDS.changed, fields: {}, archived });
}

type ChannelChange = Extract<Amendment['change'], { kind: 'h' }>;

function changeChannel(deps: ChangeChannelDeps, leastRank: Rank) {
  const settle = settleOperation(deps);
  const view = viewChannel(deps);
  return async (
    actorId: string,
    { channelId, op }: Pick<Parsed<'channel.update'>, 'channelId' | 'op'>,
    change: ChannelChange,
  ): Promise<Answer<'channel.update'>> => {
    const seen = await view(channelId, actorId);
    const row = seen && (await deps.archive.channel(channelId, actorId));
    if (!seen) throw new Failure('UNAVAILABLE', 'The message log is away.', { retryAfterMs: 1_000 });
    // Asked of the log, which knows him as a member; Postgres may be behind with him, but never with the channel.
    if (!row) throw notFound();
    if (row.channel.kind === 'direct') throw new Failure('FORBIDDEN', 'a direct channel stays as it is');
    const operationId = op?.id ?? deps.ids.fresh();
    const amendment = amendmentOf({ channelId, actorId, operationId, leastRank, change }, row.channel, seen);
    const put = async () => {
      const verdict = await deps.log.amend(amendment);
      return verdict.type === 'unknown' ? { type: 'epoch' as const } : verdict;
    };
    const settled = await settle({ channelId, actorId, operationId, repeat: op, put });
    if (settled.type === 'accepted' && settled.first) deps.doorbell.ring(partitionOf(channelId));
    const [states] = await deps.views.states([
      { channelId, since: { epoch: deps.log.epochOf(channelId), n: 0 }, ids: [channelId] },
    ]);
    const state = states?.[0] ?? null;
    const level = settled.type === 'duplicate' ? settled.level : 'accepted';
    const standing = { epoch: deps.log.epochOf(channelId), position: positionOfSettled(settled), level };
    return { ...channelAsItIs(row.channel, seen, state), ...standing };
  };
}

function amendmentOf(asked: Omit<Amendment, 'json' | 'known'>, channel: Channel, view: MemberView): Amendment {
  const { kind, encrypted, createdAt, name, topic, avatarUrl, archivedAt } = channel;
  const { channelId, actorId, operationId } = asked;
  const payload: Omit<ChannelPayload, 'state' | 'version' | 'memberCount'> = {
    id: operationId,
    channelId,
    actorId,
    channel: { kind, encrypted, createdAt },
  };
  const known = { epoch: view.epoch, states: { [channelId]: { name, topic, avatarUrl, archivedAt } } };
  return { ...asked, json: JSON.stringify(payload), known };
}

/** The channel with what the log store knows of it and Postgres may not have yet. */
export function channelAsItIs(channel: Channel, view: Pick<MemberView, 'memberCount'>, state: Stated | null): Channel {
  const { memberCount } = view;
  if (!state) return { ...channel, memberCount };
  const { name, topic, avatarUrl, archivedAt } = state;
  return { ...channel, memberCount, name, topic, avatarUrl, archivedAt };
}
