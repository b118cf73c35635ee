import { orWhenAway } from '@parley/domain';
import type { InboxEvent } from '@parley/protocol';
import type { InboxReaderDeps } from './inbox-reader-deps.ts';

/** What a user is told who was invited to these channels; null while that cannot be read. One that was taken or withdrawn is none any more. */
export async function invitationsTold(
  { invitations }: Pick<InboxReaderDeps, 'invitations'>,
  userId: string,
  invited: ReadonlySet<string>,
): Promise<InboxEvent[] | null> {
  const all = await orWhenAway(() => invitations(userId), null);
  if (!all) return null;
  return all
    .filter(({ channel }) => invited.has(channel.id))
    .map(({ channel, invitedBy, invitedAt: at }) => {
      return { type: 'channel.invited', channelId: channel.id, at, channel, invitedBy };
    });
}
