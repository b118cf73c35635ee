import type { Answer, Channel, Parsed } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { Archive } from './ports/archive.ts';
import type { Clock } from './ports/clock.ts';
import type { Limiter } from './ports/limiter.ts';
import type { MessageLog } from './ports/message-log.ts';
import type { UserHints } from './ports/user-hints.ts';

/** Ids of channels that are functions of who asks for what. */
export interface ChannelIds {
  /** The same for both orders of the two. */
  direct(oneId: string, otherId: string): string;
  named(creatorId: string, clientId: string): string;
  fresh(): string;
}

export interface CreateDeps {
  readonly archive: Pick<Archive, 'createChannel' | 'channel' | 'membersById'>;
  readonly log: Pick<MessageLog, 'epochOf'>;
  readonly limiter: Limiter;
  readonly hints: UserHints;
  readonly ids: ChannelIds;
  readonly clock: Pick<Clock, 'now'>;
  /** `MAX_CHANNEL_MEMBERS`. */
  readonly memberLimit: number;
}

const DIRECT_MEMBERS = 2;
/** Whoever made a channel may have died before he told its members, and his client repeats the call. */
const TOLD_AGAIN_MS = 300_000;

/** Makes a channel, or finds it: the direct channel of the same two, or what the same `clientId` (or operation) made before. */
export function createChannel(deps: CreateDeps) {
  return async (ownerId: string, input: Parsed<'channel.create'>): Promise<Answer<'channel.create'>> => {
    const memberIds = [...new Set(input.memberIds)].filter((id) => id !== ownerId);
    const memberLimit = input.kind === 'direct' ? DIRECT_MEMBERS : deps.memberLimit;
    check(input, memberIds, memberLimit);
    const id = idOf(deps.ids, ownerId, { ...input, memberIds });
    // Finding is not making: a repeated call costs nothing of the limit.
    const found = id === null ? null : await deps.archive.channel(id, ownerId);
    if (found) {
      await tellAgain(deps, found.channel, [ownerId, ...memberIds]);
      return { ...found.channel, epoch: deps.log.epochOf(found.channel.id) };
    }
    await takeCreate(deps.limiter, ownerId);
    const made = await deps.archive.createChannel({
      id: id ?? deps.ids.fresh(),
      kind: input.kind,
      name: input.kind === 'direct' ? null : (input.name ?? null),
      encrypted: input.encrypted ?? false,
      memberLimit,
      ownerId,
      memberIds,
    });
    if ('unknown' in made) throw new Failure('NOT_FOUND', 'no such user');
    if ('deleted' in made) throw new Failure('FORBIDDEN', 'this channel was deleted');
    const channelId = made.channel.id;
    // Who made it may have left since: then it is no business of his.
    if (!made.created && !(await deps.archive.channel(channelId, ownerId))) {
      throw new Failure('FORBIDDEN', 'you are not a member of this channel any more');
    }
    if (made.created) deps.hints.tell([ownerId, ...memberIds], { type: 'channel.added', channelId });
    else await tellAgain(deps, made.channel, [ownerId, ...memberIds]);
    return { ...made.channel, epoch: deps.log.epochOf(channelId) };
  };
}

/** Only members are told: a repeated call may name anybody. */
async function tellAgain(deps: CreateDeps, { id, createdAt }: Channel, named: readonly string[]): Promise<void> {
  if (createdAt < deps.clock.now() - TOLD_AGAIN_MS) return;
  const members = await deps.archive.membersById(id, named);
  const userIds = members.map(({ userId }) => userId);
  deps.hints.tell(userIds, { type: 'channel.added', channelId: id });
}

async function takeCreate(limiter: Limiter, ownerId: string): Promise<void> {
  const { allowed, retryAfterMs } = await limiter.take('channel.create', ownerId);
  if (!allowed) throw new Failure('RATE_LIMITED', 'too many channels made', { retryAfterMs });
}

function check(input: Parsed<'channel.create'>, memberIds: readonly string[], memberLimit: number): void {
  if (input.kind === 'direct' && memberIds.length !== 1) {
    throw new Failure('INVALID', 'a direct channel has exactly one other member');
  }
  if (memberIds.length + 1 > memberLimit) throw new Failure('CHANNEL_FULL', 'more members than a channel may have');
}

/** Null: the caller gave nothing that names the channel. */
function idOf(ids: ChannelIds, ownerId: string, input: Parsed<'channel.create'>): string | null {
  const [other] = input.memberIds;
  if (input.kind === 'direct' && other) return ids.direct(ownerId, other);
  const name = input.clientId ?? input.op?.id;
  return name ? ids.named(ownerId, name) : null;
}
