import { withChildren } from './cpu.ts';
import type { GroupSpec } from './crowd/orders.ts';
import type { Crowd } from './crowd.ts';
import type { Parley } from './parley.ts';
import type { Peer } from './peer.ts';

/** How a crowd is spread: channels of so many members, who all subscribe and send. */
export interface Spread {
  readonly channels: number;
  readonly members: number;
}

/** Ours: each member a user of his own, on the servers in turn. */
export async function ourGroup(
  parley: Parley,
  { channels, members }: Spread,
  given?: readonly string[],
): Promise<GroupSpec> {
  const users = given ?? (await parley.users(channels * members));
  const groups = Array.from({ length: channels }, (_, c) => users.slice(c * members, (c + 1) * members));
  const ids = await parley.channels(groups);
  const servers = parley.cluster.apis.length;
  return {
    name: 'ours',
    dialect: 'trpc',
    channels: groups.map((group, c) => ({
      id: ids[c] ?? '',
      subscribers: group.map((user, i) => parley.client(user, i % servers)),
      senders: [],
    })),
  };
}

/** The same crowd in the rooms of Socket.IO servers. */
export function theirGroup(peers: readonly Peer[], { channels, members }: Spread): GroupSpec {
  return {
    name: 'theirs',
    dialect: 'socket-io',
    channels: Array.from({ length: channels }, (_, c) => ({
      id: `room-${members}-${c}`,
      subscribers: Array.from({ length: members }, (__, i) => ({
        port: peers[i % peers.length]?.port ?? 0,
        token: '',
        requestId: 1,
      })),
      senders: [],
    })),
  };
}

/** Both sides of a round, in an order that changes from round to round. */
export async function takeTurns<T>(round: number, ours: () => Promise<T>, theirs: () => Promise<T>): Promise<[T, T]> {
  if (round % 2 === 0) {
    const first = await ours();
    return [first, await theirs()];
  }
  const first = await theirs();
  return [await ours(), first];
}

/** Pids of servers with all their children. */
export const familyOf = (...pids: readonly number[]): readonly number[] => pids.flatMap(withChildren);

/** Closes both groups. */
export async function closeBoth(crowd: Crowd): Promise<void> {
  await crowd.close('ours');
  await crowd.close('theirs');
}
