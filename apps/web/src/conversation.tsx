import {
  useChannel,
  useConnection,
  useMembers,
  usePeople,
  usePresence,
  useSend,
  useTyping,
} from '@parley/client/react';
import type { ChannelSummary } from '@parley/protocol';
import { useMemo, useState } from 'react';
import { Composer } from './composer.tsx';
import { ConversationHead } from './conversation-head.tsx';
import { DetailsPanel } from './details-panel.tsx';
import { FailedChanges } from './failed-changes.tsx';
import { mentionedIn } from './mentioned.ts';
import type { MessageTools } from './message-actions.tsx';
import { MessageLog } from './message-log.tsx';
import { isAtLeast } from './roles.ts';
import { ThreadPanel } from './thread-panel.tsx';
import { TypingLine } from './typing-line.tsx';

type Panel = { readonly type: 'none' | 'details' } | { readonly type: 'thread'; readonly messageId: string };

const NO_PANEL: Panel = { type: 'none' };

interface ConversationProps {
  readonly channel: ChannelSummary;
  readonly title: string;
  readonly selfId: string;
  readonly isVisible: boolean;
  readonly onBack: () => void;
}

/** One open channel: what was said, what is being written, and beside it a thread or who is in it. */
export function Conversation({ channel: summary, title, selfId, isVisible, onBack }: ConversationProps) {
  const { id: channelId, members: some } = summary;
  const isDirect = summary.kind === 'direct';
  const channel = useChannel(channelId);
  const { members } = useMembers(channelId);
  const presence = usePresence(isDirect ? some.map((user) => user.id) : []);
  const send = useSend(channelId);
  const { typed, stopped } = useTyping(channelId);
  const people = usePeople();
  const { status } = useConnection();
  const [panel, setPanel] = useState(NO_PANEL);
  const { edit, remove, react, change } = channel;
  const tools = useMemo<MessageTools>(
    () => ({
      onEdit: edit,
      onRemove: remove,
      onReact: react,
      onThread: (messageId) => setPanel({ type: 'thread', messageId }),
    }),
    [edit, remove, react],
  );
  const isModerator = isAtLeast(summary.role, 'moderator');
  const closePanel = () => setPanel(NO_PANEL);
  const other = isDirect ? (some.find((user) => user.id !== selfId)?.id ?? null) : null;
  return (
    <>
      <main className="conversation" aria-label={`Conversation: ${title}`}>
        <ConversationHead
          channel={summary}
          title={title}
          presence={other === null ? undefined : presence.get(other)}
          connection={status}
          onBack={onBack}
          onDetails={() => setPanel(panel.type === 'details' ? NO_PANEL : { type: 'details' })}
        />
        <MessageLog
          channel={channel}
          people={people}
          members={members}
          tools={tools}
          isModerator={isModerator}
          showsNames={!isDirect}
          isVisible={isVisible}
        />
        <FailedChanges failed={channel.failed} onRetry={channel.retry} onDiscard={channel.discard} />
        <TypingLine typing={channel.typing} people={people} />
        {channel.state === 'closed' ? (
          <p className="closed" role="alert">
            This conversation is not open to you any more.
          </p>
        ) : (
          <Composer
            title={title}
            onSend={(body) => {
              const mentions = mentionedIn(body, members);
              send(mentions.length > 0 ? { body, mentions } : body);
            }}
            onTyped={typed}
            onCleared={stopped}
          />
        )}
      </main>
      {panel.type === 'details' && (
        <DetailsPanel channel={summary} selfId={selfId} onChange={change} onClose={closePanel} />
      )}
      {panel.type === 'thread' && (
        <ThreadPanel
          key={panel.messageId}
          channelId={channelId}
          messageId={panel.messageId}
          channel={channel}
          tools={tools}
          isModerator={isModerator}
          onClose={closePanel}
        />
      )}
    </>
  );
}
