import type { User } from '@parley/protocol';

/** More names than this are a crowd. */
const NAMES_MAX = 3;

/** Who is typing, in words. Read out when it changes, and always there, so that nothing jumps. */
export function TypingLine({ typing, people }: { typing: readonly string[]; people: ReadonlyMap<string, User> }) {
  return (
    <p className="typing muted" role="status" data-testid="typing">
      {sentence(typing.map((id) => people.get(id)?.name ?? 'Somebody'))}
    </p>
  );
}

function sentence(names: readonly string[]): string {
  if (names.length === 0) return '';
  if (names.length > NAMES_MAX) return 'Several people are typing…';
  const last = names.at(-1);
  return names.length === 1 ? `${last} is typing…` : `${names.slice(0, -1).join(', ')} and ${last} are typing…`;
}
