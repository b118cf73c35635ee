import type { Presence } from '@parley/client';
import type { ChannelSummary } from '@parley/protocol';
import { Avatar } from './avatar.tsx';
import { channelTitle } from './channel-title.ts';
import { PresenceDot } from './presence-dot.tsx';
import { shortTime } from './times.ts';

interface ChannelListItemProps {
  readonly channel: ChannelSummary;
  readonly selfId: string;
  /** How the other one of a direct chat is. */
  readonly presence: Presence | undefined;
  readonly isOpen: boolean;
  readonly unread: number;
  readonly onOpen: (channelId: string) => void;
}

export function ChannelListItem({ channel, selfId, presence, isOpen, unread, onOpen }: ChannelListItemProps) {
  const title = channelTitle(channel, selfId);
  const last = channel.lastMessage;
  const author = last?.senderId === selfId ? 'You: ' : '';
  return (
    <li>
      <button
        type="button"
        className="channel"
        aria-current={isOpen ? 'true' : undefined}
        onClick={() => onOpen(channel.id)}
        data-testid="channel"
        data-channel-id={channel.id}
      >
        <Avatar id={channel.id} name={title} />
        <span className="channel-text">
          <span className="channel-top">
            <span className="channel-title">
              {title} <PresenceDot presence={presence} />
            </span>
            {last && <time className="channel-time">{shortTime(last.sentAt)}</time>}
          </span>
          <span className="channel-bottom">
            <span className="channel-last">
              {last ? `${author}${last.deletedAt === null ? last.body : 'Deleted'}` : 'No messages yet'}
            </span>
            {unread > 0 && channel.mentions > 0 && (
              <span className="badge" data-testid="mentions">
                @<span className="visually-hidden">{channel.mentions} mentions</span>
              </span>
            )}
            {unread > 0 && (
              <span className="badge" data-testid="unread">
                {unread > 99 ? '99+' : unread}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}
