import type { Change, Presence } from '@parley/client';
import { useChat, useMembers, usePresence } from '@parley/client/react';
import type { ChannelSummary } from '@parley/protocol';
import { MemberRow } from './member-row.tsx';
import { RenameForm } from './rename-form.tsx';
import { isAtLeast } from './roles.ts';

interface DetailsPanelProps {
  readonly channel: ChannelSummary;
  readonly selfId: string;
  readonly onChange: (change: Change) => void;
  readonly onClose: () => void;
}

/** Who is in a channel and as what, and what the user may change of it. */
export function DetailsPanel({ channel, selfId, onChange, onClose }: DetailsPanelProps) {
  const client = useChat();
  const { members, state, isWhole } = useMembers(channel.id);
  const presence: ReadonlyMap<string, Presence> = usePresence(members.map((member) => member.userId));
  const isDirect = channel.kind === 'direct';
  const mute = () => client.mute(channel.id, channel.muted ? null : Number.MAX_SAFE_INTEGER).catch(() => undefined);
  return (
    <aside className="panel" aria-label="Details" data-testid="details">
      <header className="panel-head">
        <h2>Details</h2>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <div className="panel-body">
        {!isDirect && isAtLeast(channel.role, 'admin') && (
          <RenameForm
            key={channel.name}
            name={channel.name ?? ''}
            onName={(name) => onChange({ kind: 'channel.update', input: { name } })}
          />
        )}
        <h3>{isWhole ? `${members.length} members` : `The first ${members.length} members`}</h3>
        {state === 'loading' && <p className="muted">Loading…</p>}
        <ul className="members">
          {members.map((member) => (
            <MemberRow
              key={member.userId}
              member={member}
              presence={presence.get(member.userId)}
              ownRole={isDirect || member.userId === selfId ? null : channel.role}
              onChange={onChange}
            />
          ))}
        </ul>
        <div className="buttons">
          <button type="button" className="quiet" onClick={mute} data-testid="mute">
            {channel.muted ? 'Unmute' : 'Mute'}
          </button>
          {!isDirect && (
            <button
              type="button"
              className="quiet"
              onClick={() => onChange({ kind: 'channel.leave', input: {} })}
              data-testid="leave"
            >
              Leave
            </button>
          )}
        </div>
      </div>
    </aside>
  );
}
