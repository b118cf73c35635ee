import { useChat, useInbox, useMe } from '@parley/client/react';
import { type ReactNode, useMemo, useState } from 'react';
import { Announcements } from './announcements.tsx';
import { BrowseChannels } from './browse-channels.tsx';
import { ChannelList } from './channel-list.tsx';
import { Invitations } from './invitations.tsx';
import { NewChat } from './new-chat.tsx';

interface SidebarProps {
  readonly openId: string | null;
  /** The channel that is being looked at: nothing in it is unread. */
  readonly seenId: string | null;
  readonly onOpen: (channelId: string) => void;
  readonly onSignOut: () => void;
  /** How the connection is. */
  readonly children: ReactNode;
}

/** The user's channels, and the ways to others. */
export function Sidebar({ openId, seenId, onOpen, onSignOut, children }: SidebarProps) {
  const client = useChat();
  const inbox = useInbox();
  const me = useMe();
  const [isBrowsing, setIsBrowsing] = useState(false);
  const joinedIds = useMemo(() => new Set(inbox.channels.map((channel) => channel.id)), [inbox.channels]);
  const join = (channelId: string) => {
    if (!joinedIds.has(channelId)) client.change(channelId, { kind: 'channel.join', input: {} });
    // It is open as soon as it is there.
    onOpen(channelId);
    setIsBrowsing(false);
  };
  return (
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
      {children}
      <Announcements announcements={inbox.announcements} onDismiss={(id) => client.dismissAnnouncement(id)} />
      <NewChat onOpen={onOpen} />
      <button
        type="button"
        className="quiet browse"
        aria-expanded={isBrowsing}
        onClick={() => setIsBrowsing(!isBrowsing)}
        data-testid="browse"
      >
        Browse channels
      </button>
      {isBrowsing && <BrowseChannels joinedIds={joinedIds} onJoin={join} />}
      <Invitations invitations={inbox.invitations} onJoin={join} />
      <ChannelList
        channels={inbox.channels}
        isLoading={inbox.state === 'loading'}
        selfId={me?.id ?? ''}
        openId={openId}
        seenId={seenId}
        onOpen={onOpen}
      />
    </aside>
  );
}
