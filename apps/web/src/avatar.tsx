const TINTS = 6;

/** Initials on a colour that belongs to the id. */
export function Avatar({ id, name }: { id: string; name: string }) {
  const initials = name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? '')
    .join('');
  return (
    <span className={`avatar tint-${tintOf(id)}`} aria-hidden="true">
      {initials || '·'}
    </span>
  );
}

function tintOf(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 9_973;
  return sum % TINTS;
}
