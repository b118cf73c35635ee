import type { ShownMessage } from '@parley/client';
import { useState } from 'react';

/** What most people mean. */
const EMOJIS = ['👍', '❤️', '😂', '🎉', '😮'];

/** What can be done with a message. Each leaves the message as it is until the client shows it otherwise. */
export interface MessageTools {
  readonly onReact: (messageId: string, emoji: string, added: boolean) => void;
  readonly onEdit: (messageId: string, body: string) => void;
  readonly onRemove: (messageId: string) => void;
  /** Null where a reply has no thread of its own. */
  readonly onThread: ((messageId: string) => void) | null;
}

interface MessageActionsProps extends MessageTools {
  readonly message: ShownMessage;
  readonly messageId: string;
  readonly mayRemove: boolean;
  readonly onStartEdit: () => void;
}

/** A button that opens the rest: reactions, reply, edit, delete. */
export function MessageActions(props: MessageActionsProps) {
  const { message, messageId, mayRemove, onReact, onRemove, onStartEdit, onThread } = props;
  const [isOpen, setIsOpen] = useState(false);
  const close = (act: () => void) => () => {
    setIsOpen(false);
    act();
  };
  const isMine = (emoji: string) => message.reactions.some((each) => each.emoji === emoji && each.mine);
  return (
    <div className="actions" data-open={isOpen}>
      {isOpen && (
        <>
          {EMOJIS.map((emoji) => (
            <button
              key={emoji}
              type="button"
              className="action"
              aria-label={`React with ${emoji}`}
              aria-pressed={isMine(emoji)}
              onClick={close(() => onReact(messageId, emoji, !isMine(emoji)))}
              data-testid="react"
            >
              {emoji}
            </button>
          ))}
          {onThread && message.threadOf === null && (
            <button type="button" className="action" onClick={close(() => onThread(messageId))} data-testid="reply">
              Reply
            </button>
          )}
          {message.isOwn && (
            <button type="button" className="action" onClick={close(onStartEdit)} data-testid="edit">
              Edit
            </button>
          )}
          {mayRemove && (
            <button type="button" className="action" onClick={close(() => onRemove(messageId))} data-testid="delete">
              Delete
            </button>
          )}
        </>
      )}
      <button
        type="button"
        className="action more"
        aria-label="Actions"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        data-testid="actions"
      >
        ⋯
      </button>
    </div>
  );
}
