import type { Change, Presence } from '@parley/client';
import type { Member, Role } from '@parley/protocol';
import { Avatar } from './avatar.tsx';
import { PresenceDot } from './presence-dot.tsx';
import { givenBy, isAtLeast } from './roles.ts';

interface MemberRowProps {
  readonly member: Member;
  readonly presence: Presence | undefined;
  /** The user's own role, where he may act on this member by it; null where nobody may. */
  readonly ownRole: Role | null;
  readonly onChange: (change: Change) => void;
}

/** One member with his role; who stands above him may change it, or remove him. */
export function MemberRow({ member, presence, ownRole, onChange }: MemberRowProps) {
  const { userId, role, user } = member;
  const mayAct = ownRole !== null && isAtLeast(ownRole, 'moderator') && !isAtLeast(role, ownRole);
  return (
    <li className="member" data-testid="member">
      <Avatar id={userId} name={user.name} />
      <span className="member-name">
        {user.name} <PresenceDot presence={presence} />
      </span>
      {mayAct ? (
        <>
          <select
            aria-label={`Role of ${user.name}`}
            value={role}
            onChange={(event) => {
              const given = givenBy(ownRole).find((each) => each === event.target.value);
              if (given) onChange({ kind: 'member.setRole', input: { userId, role: given } });
            }}
            data-testid="role"
          >
            {[...new Set([...givenBy(ownRole), role])].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
          <button
            type="button"
            className="quiet"
            onClick={() => onChange({ kind: 'member.remove', input: { userId } })}
            aria-label={`Remove ${user.name}`}
          >
            ×
          </button>
        </>
      ) : (
        <span className="muted" data-testid="role">
          {role}
        </span>
      )}
    </li>
  );
}
