import type { Archive, ChannelIds, OperationIds } from '@parley/domain';
import {
  addMembers,
  type CreateDeps,
  createChannel,
  getChannel,
  getMessage,
  type ListMembersDeps,
  listChannels,
  listMembers,
  type MemberDeps,
  type PageDeps,
  pageMessages,
  type ReadDeps,
  readReceipt,
  removeMember,
  type SendDeps,
  type SummaryDeps,
  sendMessage,
} from '@parley/domain';
import type { User } from '@parley/protocol';
import type { Cases, Session } from './context.ts';

/** Everything that the use cases stand on. */
export interface CaseDeps
  extends Omit<SendDeps & MemberDeps & ReadDeps & PageDeps & SummaryDeps & ListMembersDeps & CreateDeps, 'ids'> {
  readonly archive: Archive;
  readonly ids: OperationIds & ChannelIds;
}

type Caller = Pick<Session, 'userId' | 'name'>;

/** What procedures of this api do, by path. */
export function createCases(deps: CaseDeps): Cases {
  return {
    'user.me': async (caller) => (await deps.archive.users([caller.userId]))[0] ?? unwritten(caller),
    'user.get': (_, { userIds }) => usersInOrder(deps.archive, userIds),
    'channel.create': forCaller(createChannel(deps)),
    'channel.list': forCaller(listChannels(deps)),
    'channel.get': forCaller(getChannel(deps)),
    'member.add': forCaller(addMembers(deps)),
    'member.remove': forCaller(removeMember(deps)),
    'member.list': forCaller(listMembers(deps)),
    'message.send': forCaller(sendMessage(deps)),
    'message.page': forCaller(pageMessages(deps)),
    'message.get': forCaller(getMessage(deps)),
    'receipt.read': forCaller(readReceipt(deps)),
  };
}

function forCaller<I, O>(work: (userId: string, input: I) => Promise<O>): (caller: Caller, input: I) => Promise<O> {
  return (caller, input) => work(caller.userId, input);
}

/** A user who came in while Postgres was away: his row is made the next time. */
function unwritten({ userId, name }: Caller): User {
  return { id: userId, name, avatarUrl: null, status: 'online', statusText: null, lastSeenAt: null };
}

/** Unknown ids are left out. */
async function usersInOrder(archive: Pick<Archive, 'users'>, userIds: readonly string[]): Promise<User[]> {
  const found = new Map((await archive.users(userIds)).map((user) => [user.id, user]));
  return [...new Set(userIds)].map((id) => found.get(id)).filter((user) => user !== undefined);
}
