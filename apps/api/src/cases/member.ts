import {
  addMembers,
  type ListMembersDeps,
  listMembers,
  type MemberDeps,
  removeMember,
  setRole,
  silenceMember,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type MemberCaseDeps = MemberDeps & ListMembersDeps;

/** The procedures `member.*`. */
export function memberCases(deps: MemberCaseDeps) {
  return {
    'member.add': forCaller(addMembers(deps)),
    'member.remove': forCaller(removeMember(deps)),
    'member.list': forCaller(listMembers(deps)),
    'member.setRole': forCaller(setRole(deps)),
    'member.silence': forCaller(silenceMember(deps)),
  } satisfies Partial<Cases>;
}
