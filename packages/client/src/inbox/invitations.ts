import type { Answer } from '@parley/protocol';

/** A channel that the user may come into by himself. */
export type Invitation = Answer<'channel.invitations'>[number];

/** With one more, newest first, each channel once. */
export function invitedTo(invitations: readonly Invitation[], invitation: Invitation): Invitation[] {
  return [invitation, ...withoutChannel(invitations, invitation.channel.id)];
}

export function withoutChannel(invitations: readonly Invitation[], channelId: string): Invitation[] {
  return invitations.filter(({ channel }) => channel.id !== channelId);
}
