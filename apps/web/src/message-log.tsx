import type { ShownMessage } from '@parley/client';
import type { ChannelHandle } from '@parley/client/react';
import type { Member, User } from '@parley/protocol';
import { useEffect, useRef } from 'react';
import type { MessageTools } from './message-actions.tsx';
import { MessageRow } from './message-row.tsx';
import { dayName, dayOf } from './times.ts';
import { useLogScroll } from './use-log-scroll.ts';

const SAME_BREATH_MS = 300_000;

interface MessageLogProps {
  readonly channel: ChannelHandle;
  readonly people: ReadonlyMap<string, User>;
  readonly members: readonly Member[];
  readonly tools: MessageTools;
  readonly isModerator: boolean;
  readonly showsNames: boolean;
  readonly isVisible: boolean;
}

export function MessageLog(props: MessageLogProps) {
  const { channel, people, members, tools, isModerator, showsNames, isVisible } = props;
  const log = useRef<HTMLElement>(null);
  const { messages, newest, markRead, loadOlder } = channel;
  const { onScroll, isAtBottom } = useLogScroll(log, messages, loadOlder);

  useEffect(() => {
    if (isVisible && isAtBottom && newest) markRead();
  }, [isVisible, isAtBottom, newest, markRead]);

  return (
    <section
      ref={log}
      className="log"
      role="log"
      aria-label="Messages"
      aria-busy={channel.state === 'loading'}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={onScroll}
      data-testid="log"
    >
      {channel.isLoadingOlder && <p className="log-note muted">Loading older messages…</p>}
      {channel.state === 'loading' && messages.length === 0 && <p className="log-note muted">Loading…</p>}
      {channel.state === 'ready' && messages.length === 0 && <p className="log-note muted">Say the first word.</p>}
      <ol>
        {messages.map((message, at) => {
          const before = messages[at - 1];
          return (
            <MessageRow
              {...tools}
              key={message.key}
              message={message}
              name={people.get(message.senderId)?.name ?? '…'}
              showsName={showsNames}
              follows={isSameBreath(before, message)}
              day={before && dayOf(before.sentAt) === dayOf(message.sentAt) ? null : dayName(message.sentAt)}
              members={message.isOwn ? members : NOBODY}
              isModerator={isModerator}
              onRetry={channel.retry}
              onDiscard={channel.discard}
            />
          );
        })}
      </ol>
    </section>
  );
}

/** Only own messages say whom they have reached: the others need not be drawn again when a cursor moves. */
const NOBODY: readonly Member[] = [];

function isSameBreath(before: ShownMessage | undefined, message: ShownMessage): boolean {
  return before?.senderId === message.senderId && message.sentAt - before.sentAt < SAME_BREATH_MS;
}
