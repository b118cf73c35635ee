import type { ConnectionState, Presence } from '@parley/client';
import type { ChannelSummary } from '@parley/protocol';
import { Avatar } from './avatar.tsx';
import { PresenceDot } from './presence-dot.tsx';

interface ConversationHeadProps {
  readonly channel: ChannelSummary;
  readonly title: string;
  /** How the other one of a direct chat is. */
  readonly presence: Presence | undefined;
  readonly connection: ConnectionState['status'];
  readonly onBack: () => void;
  readonly onDetails: () => void;
}

export function ConversationHead({ channel, title, presence, connection, onBack, onDetails }: ConversationHeadProps) {
  const { id, kind, memberCount, topic } = channel;
  const members = memberCount === 1 ? '1 member' : `${memberCount} members`;
  return (
    <header className="conversation-head">
      <button type="button" className="back quiet" onClick={onBack} aria-label="Back to the conversations">
        ‹
      </button>
      <Avatar id={id} name={title} />
      <div className="conversation-name">
        <h2>
          {title} <PresenceDot presence={presence} />
        </h2>
        <p className="muted">{kind === 'direct' ? 'Direct chat' : topic ? `${members} · ${topic}` : members}</p>
      </div>
      {connection !== 'connected' && <p className="conversation-status muted">{connection}…</p>}
      <button type="button" className="quiet" onClick={onDetails} data-testid="open-details">
        Details
      </button>
    </header>
  );
}
