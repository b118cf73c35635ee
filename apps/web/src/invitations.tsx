import type { Invitation } from '@parley/client';

interface InvitationsProps {
  readonly invitations: readonly Invitation[];
  readonly onJoin: (channelId: string) => void;
}

/** Channels that somebody has invited the user to. */
export function Invitations({ invitations, onJoin }: InvitationsProps) {
  if (invitations.length === 0) return null;
  return (
    <section className="invitations" aria-label="Invitations">
      <ul>
        {invitations.map(({ channel }) => (
          <li key={channel.id} className="found-channel">
            <span className="found-name">{channel.name ?? 'A conversation'}</span>
            <button type="button" className="quiet" onClick={() => onJoin(channel.id)} data-testid="accept">
              Join
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
