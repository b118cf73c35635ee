import { type ChannelHandle, usePeople, useThread } from '@parley/client/react';
import { Composer } from './composer.tsx';
import type { MessageTools } from './message-actions.tsx';
import { MessageRow } from './message-row.tsx';

interface ThreadPanelProps {
  readonly channelId: string;
  readonly messageId: string;
  readonly channel: ChannelHandle;
  readonly tools: MessageTools;
  readonly isModerator: boolean;
  readonly onClose: () => void;
}

/** The replies to one message, beside the conversation. */
export function ThreadPanel({ channelId, messageId, channel, tools, isModerator, onClose }: ThreadPanelProps) {
  const thread = useThread(channelId, messageId);
  const people = usePeople();
  const parent = channel.messages.find((message) => message.messageId === messageId);
  const rows = parent ? [parent, ...thread.messages] : thread.messages;
  return (
    <aside className="panel" aria-label="Thread" data-testid="thread">
      <header className="panel-head">
        <h2>Thread</h2>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <ol className="panel-body thread">
        {rows.map((message) => (
          <MessageRow
            {...tools}
            onThread={null}
            key={message.key}
            message={message}
            name={people.get(message.senderId)?.name ?? '…'}
            showsName={true}
            follows={false}
            day={null}
            members={[]}
            isModerator={isModerator}
            onRetry={channel.retry}
            onDiscard={channel.discard}
          />
        ))}
      </ol>
      <Composer title="the thread" testId="thread-composer" onSend={thread.reply} />
    </aside>
  );
}
