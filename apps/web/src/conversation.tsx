import { useChannel, useConnection, usePeople, useSend } from '@parley/client/react';
import { Avatar } from './avatar.tsx';
import { Composer } from './composer.tsx';
import { MessageLog } from './message-log.tsx';

interface ConversationProps {
  readonly channelId: string;
  readonly title: string;
  readonly memberCount: number;
  readonly isDirect: boolean;
  readonly isVisible: boolean;
  readonly onBack: () => void;
}

export function Conversation({ channelId, title, memberCount, isDirect, isVisible, onBack }: ConversationProps) {
  const channel = useChannel(channelId);
  const send = useSend(channelId);
  const people = usePeople();
  const { status } = useConnection();
  return (
    <main className="conversation" aria-label={`Conversation: ${title}`}>
      <header className="conversation-head">
        <button type="button" className="back quiet" onClick={onBack} aria-label="Back to the conversations">
          ‹
        </button>
        <Avatar id={channelId} name={title} />
        <div className="conversation-name">
          <h2>{title}</h2>
          <p className="muted">{isDirect ? 'Direct chat' : `${memberCount} members`}</p>
        </div>
        {status !== 'connected' && <p className="conversation-status muted">{status}…</p>}
      </header>
      <MessageLog channel={channel} people={people} showsNames={!isDirect} isVisible={isVisible} />
      {channel.state === 'closed' ? (
        <p className="closed" role="alert">
          This conversation is not open to you any more.
        </p>
      ) : (
        <Composer title={title} onSend={send} />
      )}
    </main>
  );
}
