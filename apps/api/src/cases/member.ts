import {
  addMembers,
  type ListMembersDeps,
  listMembers,
  type MemberDeps,
  type Presences,
  removeMember,
  setRole,
  silenceMember,
  withPresence,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

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
    'member.setRole': forCaller(setRole(deps)),
    'member.silence': forCaller(silenceMember(deps)),
  } satisfies Partial<Cases>;
}
