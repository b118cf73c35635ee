import { usePresence } from '@parley/client/react';
import type { ChannelSummary } from '@parley/protocol';
import { ChannelListItem } from './channel-list-item.tsx';

interface ChannelListProps {
  readonly channels: readonly ChannelSummary[];
  readonly isLoading: boolean;
  readonly selfId: string;
  readonly openId: string | null;
  /** The channel that is being looked at: nothing in it is unread. */
  readonly seenId: string | null;
  readonly onOpen: (channelId: string) => void;
}

export function ChannelList({ channels, isLoading, selfId, openId, seenId, onOpen }: ChannelListProps) {
  const presence = usePresence(channels.flatMap((channel) => otherOf(channel, selfId) ?? []));
  if (isLoading) return <p className="list-note muted">Loading…</p>;
  if (channels.length === 0) return <p className="list-note muted">No conversations yet.</p>;
  return (
    <nav className="channel-list" aria-label="Conversations">
      <ul>
        {channels.map((channel) => (
          <ChannelListItem
            key={channel.id}
            channel={channel}
            selfId={selfId}
            presence={presence.get(otherOf(channel, selfId) ?? '')}
            isOpen={channel.id === openId}
            unread={channel.id === seenId ? 0 : channel.unread}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </nav>
  );
}

/** The other one of a direct chat; null of any other. */
function otherOf({ kind, members }: ChannelSummary, selfId: string): string | null {
  return kind === 'direct' ? (members.find((member) => member.id !== selfId)?.id ?? null) : null;
}
