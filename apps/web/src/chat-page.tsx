import { useConnection, useInbox, useMe } from '@parley/client/react';
import { useEffect, useState } from 'react';
import { channelTitle } from './channel-title.ts';
import { ConnectionLine } from './connection-line.tsx';
import { Conversation } from './conversation.tsx';
import { Sidebar } from './sidebar.tsx';
import { useIsVisible } from './use-is-visible.ts';

/** Channels on the left, the open one on the right; on a narrow screen one of the two. */
export function ChatPage({ onSignOut }: { onSignOut: () => void }) {
  const inbox = useInbox();
  const me = useMe();
  const connection = useConnection();
  const isVisible = useIsVisible();
  const [openId, setOpenId] = useState<string | null>(null);
  const open = inbox.channels.find((channel) => channel.id === openId) ?? null;

  const unread = inbox.channels
    .filter((channel) => !channel.muted && !(isVisible && channel.id === openId))
    .reduce((sum, channel) => sum + channel.unread, 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
  }, [unread]);

  return (
    <div className="chat" data-open={open ? 'conversation' : 'list'}>
      <Sidebar openId={openId} seenId={isVisible ? openId : null} onOpen={setOpenId} onSignOut={onSignOut}>
        <ConnectionLine connection={connection} degraded={inbox.degraded} onSignOut={onSignOut} />
      </Sidebar>
      {open ? (
        <Conversation
          key={open.id}
          channel={open}
          title={channelTitle(open, me?.id ?? '')}
          selfId={me?.id ?? ''}
          isVisible={isVisible}
          onBack={() => setOpenId(null)}
        />
      ) : (
        <main className="nothing-open">
          <p>{inbox.channels.length > 0 ? 'Choose a conversation.' : 'Start a conversation with “New chat”.'}</p>
        </main>
      )}
    </div>
  );
}
