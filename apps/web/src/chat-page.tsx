import { useConnection, useInbox, useMe } from '@parley/client/react';
import { useEffect, useState } from 'react';
import { ChannelList } from './channel-list.tsx';
import { channelTitle } from './channel-title.ts';
import { ConnectionLine } from './connection-line.tsx';
import { Conversation } from './conversation.tsx';
import { NewChat } from './new-chat.tsx';
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
      <aside className="sidebar" aria-label="Channels">
        <header className="sidebar-head">
          <div className="sidebar-self">
            <h1>Parley</h1>
            <p className="muted" data-testid="me">
              {me?.name ?? ' '}
            </p>
          </div>
          <button type="button" className="quiet" onClick={onSignOut} data-testid="sign-out">
            Sign out
          </button>
        </header>
        <ConnectionLine connection={connection} degraded={inbox.degraded} onSignOut={onSignOut} />
        <NewChat onOpen={setOpenId} />
        <ChannelList
          channels={inbox.channels}
          isLoading={inbox.state === 'loading'}
          selfId={me?.id ?? ''}
          openId={openId}
          seenId={isVisible ? openId : null}
          onOpen={setOpenId}
        />
      </aside>
      {open ? (
        <Conversation
          key={open.id}
          channelId={open.id}
          title={channelTitle(open, me?.id ?? '')}
          memberCount={open.memberCount}
          isDirect={open.kind === 'direct'}
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
