import type { Copies, CopyName, Presences } from '@parley/domain';

/** The copies in which his words may stand. */
const COPIES_OF_WORDS = ['tips', 'pages', 'search'] as const satisfies readonly CopyName[];

/** What the cache store has of somebody who was erased. A store that is away forgets by itself. */
export function forgetErased(of: {
  readonly userId: string;
  readonly copies: Copies;
  readonly presences: Pick<Presences, 'forget'>;
}): void {
  void of.presences.forget(of.userId).catch(() => undefined);
  void of.copies.changed('users', [of.userId]);
  void of.copies.emptied(COPIES_OF_WORDS);
}
