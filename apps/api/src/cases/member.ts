import { addMembers, type ListMembersDeps, listMembers, type MemberDeps, removeMember } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type MemberCaseDeps = MemberDeps & ListMembersDeps;

/** The procedures `member.*`. */
export function memberCases(deps: MemberCaseDeps) {
  return {
    'member.add': forCaller(addMembers(deps)),
    'member.remove': forCaller(removeMember(deps)),
    'member.list': forCaller(listMembers(deps)),
    ...notThereYet('member.setRole', 'member.silence'),
  } satisfies Partial<Cases>;
}
