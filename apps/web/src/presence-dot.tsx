import type { Presence } from '@parley/client';

const WORDS: Record<Presence['status'], string> = {
  online: 'online',
  away: 'away',
  busy: 'busy',
  offline: 'offline',
};

/** How somebody is, as a dot that is also read out. Nothing while it is not known. */
export function PresenceDot({ presence }: { presence: Presence | undefined }) {
  if (!presence) return null;
  return (
    <span className="presence" data-status={presence.status} data-testid="presence">
      <span className="visually-hidden">{WORDS[presence.status]}</span>
    </span>
  );
}
