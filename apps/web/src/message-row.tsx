import type { ShownMessage } from '@parley/client';
import { memo } from 'react';
import { Avatar } from './avatar.tsx';
import { Mark } from './mark.tsx';
import { timeOfDay } from './times.ts';

interface MessageRowProps {
  readonly message: ShownMessage;
  readonly name: string;
  readonly showsName: boolean;
  /** Said in one breath with the message above: it needs no head of its own. */
  readonly follows: boolean;
  /** The day that begins with this message. */
  readonly day: string | null;
  readonly onRetry: (clientMsgId: string) => void;
  readonly onDiscard: (clientMsgId: string) => void;
}

const WHY: Record<string, string> = {
  FORBIDDEN: 'You may not write here.',
  NOT_FOUND: 'You are not in this conversation any more.',
  TOO_LARGE: 'It is too long.',
};

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, name, showsName, follows, day, onRetry, onDiscard } = props;
  const { clientMsgId, isOwn, mark, refusal } = message;
  const isHead = !follows || day !== null;
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
        <div className="bubble">
          {!isOwn && isHead && showsName ? (
            <p className="author">{name}</p>
          ) : (
            <span className="visually-hidden">{isOwn ? 'You' : name}: </span>
          )}
          <p className="body">{message.body}</p>
          <p className="meta">
            <time dateTime={new Date(message.sentAt).toISOString()}>{timeOfDay(message.sentAt)}</time>
            {isOwn && <Mark mark={mark} />}
          </p>
        </div>
        {mark === 'failed' && (
          <p className="failed" role="alert">
            Not sent. {refusal?.reason ?? WHY[refusal?.code ?? ''] ?? 'The server refused it.'}{' '}
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
