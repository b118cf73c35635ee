import type { ChannelSummary } from '@parley/protocol';

/** What a channel is called for this user: its name, or the names of the others in it. */
export function channelTitle(channel: ChannelSummary, selfId: string): string {
  if (channel.name) return channel.name;
  const others = channel.members.filter((member) => member.id !== selfId).map((member) => member.name);
  if (others.length === 0) return channel.members[0]?.name ?? 'Nobody else';
  const unnamed = channel.memberCount - 1 - others.length;
  return unnamed > 0 ? `${others.join(', ')} and ${unnamed} more` : others.join(', ');
}
