import { createChannel, type UserHint } from '@parley/domain';
import type { Channel, Member } from '@parley/protocol';
import { expect, it } from 'vitest';
import { ANN, BOB, CHANNEL, SUMMARY } from '../apps/api/test/feed-world.ts';

// A node that died between the commit of a new channel and its hints left its members untold. The client repeated the call, which found
// the channel and told nobody either.

const NOW = 1_000_000_000;
const STRANGER = '20000000-0000-4000-8000-0000000000ff';

async function toldWhenFoundAt(createdAt: number) {
  const told: { userIds: readonly string[]; hint: UserHint }[] = [];
  const channel: Channel = { ...SUMMARY, id: CHANNEL, createdAt };
  const create = createChannel({
    archive: {
      channel: async () => ({ channel, role: 'owner' }) as never,
      createChannel: () => Promise.reject(new Error('it is there')),
      membersById: async (_, userIds) =>
        userIds.filter((id) => id !== STRANGER).map((userId) => ({ userId }) as Member),
    },
    log: { epochOf: () => 1 },
    limiter: { take: () => Promise.reject(new Error('finding costs nothing')) } as never,
    hints: { tell: (userIds, hint) => void told.push({ userIds, hint }) },
    ids: { direct: () => CHANNEL, named: () => CHANNEL, fresh: () => CHANNEL },
    clock: { now: () => NOW },
    memberLimit: 100,
  });
  await create(ANN, { kind: 'group', name: 'g', memberIds: [BOB, STRANGER], clientId: CHANNEL });
  return told;
}

it('[MEMBER-117] a repeated creation tells the members again, and nobody else', async () => {
  const hint = { type: 'channel.added', channelId: CHANNEL };
  expect(await toldWhenFoundAt(NOW - 60_000)).toEqual([{ userIds: [ANN, BOB], hint }]);
  // Control: what was found long after says nothing new.
  expect(await toldWhenFoundAt(NOW - 600_000)).toEqual([]);
});
