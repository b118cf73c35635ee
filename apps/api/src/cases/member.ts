import {
  addMembers,
  type ListMembersDeps,
  listMembers,
  type MemberDeps,
  type Presences,
  removeMember,
  withPresence,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type MemberCaseDeps = MemberDeps & ListMembersDeps & { readonly presences: Presences };

/** The procedures `member.*`. */
export function memberCases(deps: MemberCaseDeps) {
  const list = listMembers(deps);
  const live = withPresence(deps.presences);
  return {
    'member.add': forCaller(addMembers(deps)),
    'member.remove': forCaller(removeMember(deps)),
    'member.list': async ({ userId }, input) => {
      const { items, nextCursor } = await list(userId, input);
      return { items: await live.members(items), nextCursor };
    },
    ...notThereYet('member.setRole', 'member.silence'),
  } satisfies Partial<Cases>;
}
