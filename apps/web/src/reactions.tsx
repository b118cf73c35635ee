import type { Reaction } from '@parley/protocol';

interface ReactionsProps {
  readonly reactions: readonly Reaction[];
  readonly onReact: (emoji: string, added: boolean) => void;
}

/** Each emoji with how many have chosen it; a click joins them, or takes one's own back. */
export function Reactions({ reactions, onReact }: ReactionsProps) {
  if (reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, mine }) => (
        <li key={emoji}>
          <button
            type="button"
            className="reaction"
            aria-pressed={mine}
            aria-label={`${emoji} ${count}`}
            onClick={() => onReact(emoji, !mine)}
            data-testid="reaction"
          >
            {emoji} <span className="reaction-count">{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
