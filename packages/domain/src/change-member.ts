import { formatPosition, type Member, type Position, type Role, type User } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { MemberPayload } from './log-line.ts';
import { partitionOf } from './partition.ts';
import type { Archive } from './ports/archive.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { MemberChange, MessageLog } from './ports/message-log.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import type { PersistWatch } from './ports/persist-watch.ts';
import type { UserHints } from './ports/user-hints.ts';
import { LEAST_RANK, RANKS, type Rank } from './ranks.ts';
import { type Attempt, type SettleDeps, type Settled, settleOperation } from './settle-operation.ts';

export interface MemberDeps extends SettleDeps {
  readonly log: SettleDeps['log'] & Pick<MessageLog, 'change'>;
  readonly archive: Pick<Archive, 'outcome' | 'channel' | 'users' | 'joinable' | 'membersById'>;
  readonly doorbell: Doorbell;
  readonly watch: PersistWatch;
  readonly hints: UserHints;
  readonly ids: OperationIds;
}

/** One member change, as the caller asked for it. */
export interface Change extends Pick<Attempt, 'channelId' | 'actorId' | 'operationId' | 'repeat'> {
  readonly kind: MemberChange['kind'];
  readonly user: Pick<User, 'id' | 'name'>;
  /** Null: he leaves, or keeps what he has. */
  readonly role: Role | null;
  /** Epoch milliseconds; 0: not any more. */
  readonly silencedUntil?: number;
  /** He brings himself in, and may. */
  readonly admitted?: boolean;
}

/** Puts one member change into the log and rings for it. */
export function changeMember(deps: MemberDeps) {
  const settle = settleOperation(deps);
  return async (change: Change): Promise<Settled> => {
    const { channelId, actorId, operationId, kind, repeat } = change;
    const entry: MemberChange = {
      channelId,
      actorId,
      operationId,
      kind,
      userId: change.user.id,
      rank: change.role && RANKS[change.role],
      leastRank: leastRank(change),
      ...(change.silencedUntil !== undefined && { silencedUntil: change.silencedUntil }),
      ...(change.admitted && { admitted: true }),
      json: payloadOf(change),
    };
    const settled = await settle({ channelId, actorId, operationId, repeat, put: () => deps.log.change(entry) });
    if (settled.type === 'accepted' && settled.first) deps.doorbell.ring(partitionOf(channelId));
    return settled;
  };
}

/**
 * Whom the script lets do it. Everybody may leave; whoever gives a role away stands above it (an owner may make another one), so that
 * nobody is lifted over the one who lifts him.
 */
function leastRank({ actorId, user, role, silencedUntil }: Change): Rank {
  if (silencedUntil !== undefined) return LEAST_RANK['member.silence'];
  if (role === null) return user.id === actorId ? RANKS.guest : LEAST_RANK['member.remove'];
  return Object.values(RANKS).find((rank) => rank > RANKS[role] && rank >= LEAST_RANK['member.add']) ?? RANKS.owner;
}

/** The script puts `version`, `rank` and a silence in front. */
function payloadOf({ channelId, actorId, operationId, user }: Change): string {
  const payload: Omit<MemberPayload, 'version' | 'rank' | 'silencedUntil'> = {
    id: operationId,
    channelId,
    actorId,
    userId: user.id,
    name: user.name,
  };
  return JSON.stringify(payload);
}

/** Two people make a direct channel, and it stays theirs. Postgres knows the kind; whether the caller may is the log's to say. */
export async function refuseDirect(deps: MemberDeps, channelId: string, actorId: string): Promise<void> {
  const row = await deps.archive.channel(channelId, actorId);
  if (row?.channel.kind === 'direct') throw new Failure('FORBIDDEN', 'a direct channel keeps its two members');
}

/** Where an operation stands, null when it changed nothing. */
export function positionOfSettled(settled: Settled): Position | null {
  if (settled.type === 'unchanged') return null;
  return settled.type === 'accepted' ? formatPosition(settled.place) : settled.position;
}

/** Whether Postgres is known to have it already. */
export function isPersisted(settled: Settled): boolean {
  return settled.type === 'duplicate' && settled.level === 'persisted';
}

/** A member as he is the moment he joined, where Postgres has not got him yet. */
export function newMember(user: User, role: Role, joinedAt: number): Member {
  return { userId: user.id, role, joinedAt, user, deliveredTo: null, readTo: null };
}
