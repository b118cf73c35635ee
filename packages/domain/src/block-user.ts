import type { Answer, Parsed } from '@parley/protocol';
import type { ChannelIds } from './create-channel.ts';
import { Failure } from './failure.ts';
import type { Directory } from './ports/directory.ts';
import { FOR_EVER_MS } from './settle-operation.ts';

export interface BlockDeps {
  readonly directory: Pick<Directory, 'block' | 'unblock'>;
  readonly ids: Pick<ChannelIds, 'direct'>;
  readonly silence: Silence;
}

/**
 * Makes a member's sends be refused until a time, 0: not any more. Nothing is done where there is no such channel or member: whoever
 * makes the channel later asks Postgres for blocks.
 */
export type Silence = (member: { channelId: string; userId: string; untilMs: number }) => Promise<void>;

/**
 * What the blocked one writes into the direct channel of the two is refused, now and in a channel made later. He is told nowhere that
 * it is a block. The row comes first: a header that is loaded from then on has it.
 */
export function blockUser({ directory, ids, silence }: BlockDeps) {
  return async (userId: string, { userId: blockedId }: Parsed<'user.block'>): Promise<Answer<'user.block'>> => {
    if (blockedId === userId) throw new Failure('INVALID', 'nobody can block himself');
    if (!(await directory.block(userId, blockedId))) throw new Failure('NOT_FOUND', 'no such user');
    await silence({ channelId: ids.direct(userId, blockedId), userId: blockedId, untilMs: FOR_EVER_MS });
    return { blocked: true };
  };
}

/** Takes a block back; without one it changes nothing. */
export function unblockUser({ directory, ids, silence }: BlockDeps) {
  return async (userId: string, { userId: blockedId }: Parsed<'user.unblock'>): Promise<Answer<'user.unblock'>> => {
    await directory.unblock(userId, blockedId);
    await silence({ channelId: ids.direct(userId, blockedId), userId: blockedId, untilMs: 0 });
    return { blocked: false };
  };
}
