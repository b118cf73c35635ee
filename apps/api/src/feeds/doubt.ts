/** What an inbox cannot work out by itself after it has looked. */
export type Doubt =
  /** Nothing. */
  | 'none'
  /** Its view of the channel: another epoch, a hole, a stretch that it did not see. */
  | 'view'
  /** Whether the user is a member, or what the last message is. */
  | 'summary';

const SEVERITY: readonly Doubt[] = ['none', 'view', 'summary'];

/** The greater of two doubts. */
export function worse(a: Doubt, b: Doubt): Doubt {
  return SEVERITY.indexOf(a) < SEVERITY.indexOf(b) ? b : a;
}
