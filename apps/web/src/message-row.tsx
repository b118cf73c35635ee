import type { ShownMessage } from '@parley/client';
import type { Member } from '@parley/protocol';
import { memo, useState } from 'react';
import { Avatar } from './avatar.tsx';
import { EditMessage } from './edit-message.tsx';
import { Mark } from './mark.tsx';
import { MessageActions, type MessageTools } from './message-actions.tsx';
import { Reactions } from './reactions.tsx';
import { refusalWords } from './refusal-words.ts';
import { SeenLine } from './seen-line.tsx';
import { timeOfDay } from './times.ts';

interface MessageRowProps extends MessageTools {
  readonly message: ShownMessage;
  readonly name: string;
  readonly showsName: boolean;
  /** Said in one breath with the message above: it needs no head of its own. */
  readonly follows: boolean;
  /** The day that begins with this message. */
  readonly day: string | null;
  readonly members: readonly Member[];
  /** Whether the user may delete what others said. */
  readonly isModerator: boolean;
  readonly onRetry: (clientMsgId: string) => void;
  readonly onDiscard: (clientMsgId: string) => void;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, name, showsName, follows, day, members, isModerator, onRetry, onDiscard, ...tools } = props;
  const { clientMsgId, isOwn, mark, messageId } = message;
  const [isEditing, setIsEditing] = useState(false);
  const isHead = !follows || day !== null;
  const isDeleted = message.deletedAt !== null;
  return (
    <>
      {day && <li className="day">{day}</li>}
      <li
        className="message"
        data-own={isOwn}
        data-head={isHead}
        data-testid="message"
        data-mark={mark}
        data-client-msg-id={clientMsgId}
        data-position={message.position ?? ''}
      >
        {!isOwn &&
          showsName &&
          (isHead ? <Avatar id={message.senderId} name={name} /> : <span className="avatar-gap" />)}
        <div className="bubble" data-deleted={isDeleted}>
          {!isOwn && isHead && showsName ? (
            <p className="author">{name}</p>
          ) : (
            <span className="visually-hidden">{isOwn ? 'You' : name}: </span>
          )}
          {isEditing && messageId ? (
            <EditMessage
              body={message.body}
              onCancel={() => setIsEditing(false)}
              onSave={(body) => {
                setIsEditing(false);
                tools.onEdit(messageId, body);
              }}
            />
          ) : (
            <p className="body">{isDeleted ? 'Deleted' : message.body}</p>
          )}
          <p className="meta">
            {message.threadOf !== null && tools.onThread && <span>in a thread</span>}
            {message.editedAt !== null && !isDeleted && <span data-testid="edited">edited</span>}
            <time dateTime={new Date(message.sentAt).toISOString()}>{timeOfDay(message.sentAt)}</time>
            {isOwn && <Mark mark={mark} />}
            {isOwn && !isDeleted && <SeenLine message={message} members={members} />}
          </p>
        </div>
        {messageId && !isDeleted && !isEditing && (
          <MessageActions
            {...tools}
            message={message}
            messageId={messageId}
            mayRemove={isOwn || isModerator}
            onStartEdit={() => setIsEditing(true)}
          />
        )}
        {messageId && <MessageFoot message={message} messageId={messageId} tools={tools} />}
        {mark === 'failed' && (
          <p className="failed" role="alert">
            Not sent. {refusalWords(message.refusal)}{' '}
            <button type="button" className="link" onClick={() => onRetry(clientMsgId)} data-testid="retry">
              Try again
            </button>{' '}
            <button type="button" className="link" onClick={() => onDiscard(clientMsgId)} data-testid="discard">
              Discard
            </button>
          </p>
        )}
      </li>
    </>
  );
});

interface MessageFootProps {
  readonly message: ShownMessage;
  readonly messageId: string;
  readonly tools: MessageTools;
}

/** What others made of a message: reactions and replies. */
function MessageFoot({ message, messageId, tools }: MessageFootProps) {
  const { onThread, onReact } = tools;
  const { replyCount, reactions } = message;
  if (reactions.length === 0 && (replyCount === 0 || !onThread)) return null;
  return (
    <div className="message-foot">
      <Reactions reactions={reactions} onReact={(emoji, added) => onReact(messageId, emoji, added)} />
      {replyCount > 0 && onThread && (
        <button type="button" className="link replies" onClick={() => onThread(messageId)} data-testid="replies">
          {replyCount === 1 ? '1 reply' : `${replyCount} replies`}
        </button>
      )}
    </div>
  );
}
