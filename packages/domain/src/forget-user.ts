import type { Copies } from './ports/copies.ts';

/** Forgets every copy of what an erased user said or was, once Postgres has erased it: whoever reads from now on reads what is left. */
export async function forgetUser(copies: Pick<Copies, 'changed' | 'clear'>, userId: string): Promise<void> {
  await Promise.all([
    copies.changed('users', [userId]),
    // Nobody knows under which keys his words and his name are.
    ...(['tips', 'pages', 'search', 'contacts'] as const).map((name) => copies.clear(name)),
  ]);
}
