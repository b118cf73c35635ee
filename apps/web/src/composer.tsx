import { BODY_MAX_BYTES, byteLength, isStorable } from '@parley/protocol';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';

const WARN_BELOW_BYTES = 200;

interface ComposerProps {
  readonly title: string;
  readonly onSend: (body: string) => void;
  /** Something was typed. */
  readonly onTyped?: () => void;
  /** What was typed is gone, and was not sent. */
  readonly onCleared?: () => void;
  readonly testId?: string;
}

/** Enter sends, Shift+Enter breaks the line. */
export function Composer({ title, onSend, onTyped, onCleared, testId = 'composer' }: ComposerProps) {
  const id = useId();
  const [body, setBody] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const left = BODY_MAX_BYTES - byteLength(body);
  const canSend = body.trim() !== '' && left >= 0 && isStorable(body);

  // Whoever opens a conversation with a keyboard at hand wants to write; on a phone the keyboard would hide what is there to read.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);

  const change = (next: string) => {
    setBody(next);
    if (next === '') onCleared?.();
    else onTyped?.();
  };

  const send = () => {
    if (!canSend) return;
    onSend(body);
    setBody('');
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="visually-hidden" htmlFor={id}>
        Message to {title}
      </label>
      <textarea
        id={id}
        ref={field}
        rows={1}
        value={body}
        placeholder="Write a message"
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        aria-describedby={`${id}-left`}
        data-testid={testId}
      />
      <span id={`${id}-left`} className="room-left" role="status" data-over={left < 0}>
        {left < WARN_BELOW_BYTES ? (left < 0 ? `${-left} bytes too long` : `${left} bytes left`) : ''}
      </span>
      <button type="submit" className="primary send" disabled={!canSend} data-testid="send">
        Send
      </button>
    </form>
  );
}
