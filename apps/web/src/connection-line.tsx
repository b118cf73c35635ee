import type { ConnectionState, DegradedStore } from '@parley/client';

const WORDS: Record<ConnectionState['status'], string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  offline: 'Offline. Messages wait here until the server is back.',
  stopped: 'Disconnected.',
};

const STOPPED: Partial<Record<NonNullable<ConnectionState['reason']>, string>> = {
  UNAUTHENTICATED: 'The server does not accept this sign-in.',
  REVOKED: 'This sign-in was revoked.',
  PROTOCOL_TOO_OLD: 'This page is too old for the server. Reload it.',
};

interface ConnectionLineProps {
  readonly connection: ConnectionState;
  readonly degraded: readonly DegradedStore[];
  readonly onSignOut: () => void;
}

export function ConnectionLine({ connection, degraded, onSignOut }: ConnectionLineProps) {
  const { status, reason } = connection;
  const words = (status === 'stopped' && reason && STOPPED[reason]) || WORDS[status];
  return (
    <div className="connection" data-status={status} data-testid="connection" role="status">
      <span className="connection-dot" aria-hidden="true" />
      <span>{words}</span>
      {degraded.length > 0 && <span className="muted"> Running without {degraded.join(' and ')}.</span>}
      {status === 'stopped' && (
        <button type="button" className="quiet" onClick={onSignOut}>
          Sign in again
        </button>
      )}
    </div>
  );
}
