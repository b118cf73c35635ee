import type { Member, User } from '@parley/protocol';
import { expect, it } from 'vitest';
import { addMembers } from '../src/add-members.ts';
import type { MemberDeps } from '../src/change-member.ts';
import type { Verdict } from '../src/ports/message-log.ts';
import type { UserHint } from '../src/ports/user-hints.ts';
import { removeMember } from '../src/remove-member.ts';

const [channelId, ada, bob, cid] = ['channel', 'ada', 'bob', 'cid'] as const;

const user = (id: string): User => ({
  id,
  name: id,
  avatarUrl: null,
  status: 'offline',
  statusText: null,
  lastSeenAt: null,
});
const memberOf = (userId: string): Member => ({
  userId,
  role: 'member',
  joinedAt: 1,
  user: user(userId),
  deliveredTo: null,
  readTo: null,
});

/** A log that gives each user's change this verdict, and a Postgres with these members. */
function world(verdicts: Record<string, Verdict>, stored: string[]) {
  const hints: { userIds: readonly string[]; hint: UserHint }[] = [];
  const deps: MemberDeps = {
    log: {
      epochOf: () => 5,
      renew: () => Promise.resolve(),
      load: () => Promise.resolve(true),
      forgetAnswer: () => Promise.resolve(),
      change: ({ userId }) => Promise.resolve(verdicts[userId] ?? { type: 'unchanged' }),
    },
    archive: {
      outcome: () => Promise.resolve(null),
      channel: () => Promise.resolve(null),
      users: (ids) => Promise.resolve(ids.map(user)),
      joinable: (ids) => Promise.resolve(ids.map(user)),
      membersById: (_, ids) => Promise.resolve(ids.filter((id) => stored.includes(id)).map(memberOf)),
    },
    clock: { now: () => 1_000 },
    doorbell: { ring: () => undefined },
    watch: {
      watch: () => Promise.resolve({ until: () => Promise.resolve(true), [Symbol.dispose]: () => undefined }),
    },
    hints: { tell: (userIds, hint) => hints.push({ userIds, hint }) },
    ids: { message: () => 'm', memberChange: (_, userId) => userId, fresh: () => 'fresh' },
  };
  return { deps, hints };
}

it('[MEMBER-100] who is removed already, but is a member in Postgres still, is not called removed for good', async () => {
  const { deps } = world({ bob: { type: 'unchanged' } }, [bob]);
  await expect(removeMember(deps)(ada, { channelId, userId: bob })).rejects.toMatchObject({ code: 'UNKNOWN_RETRY' });
  const settled = world({ bob: { type: 'unchanged' } }, []);
  const answer = await removeMember(settled.deps)(ada, { channelId, userId: bob });
  expect(answer).toEqual({ epoch: 5, position: null, level: 'persisted' });
});

it('[MEMBER-101] when one of many cannot be added, those before him hear of the channel all the same', async () => {
  const joined: Verdict = { type: 'accepted', place: { epoch: 5, n: 1, m: 0, at: 7 }, first: true };
  const { deps, hints } = world({ bob: joined, cid: { type: 'full' } }, [bob]);
  const added = addMembers(deps)(ada, { channelId, userIds: [bob, cid], role: 'member' });
  await expect(added).rejects.toMatchObject({ code: 'CHANNEL_FULL' });
  expect(hints).toEqual([{ userIds: [bob], hint: { type: 'channel.added', channelId } }]);
});
