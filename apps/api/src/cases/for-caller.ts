import type { Session } from '../context.ts';

/** Who calls, as far as a use case wants to know. */
export type Caller = Pick<Session, 'userId' | 'name'>;

/** A use case that needs the caller's id alone. */
export function forCaller<I, O>(
  work: (userId: string, input: I) => Promise<O>,
): (caller: Caller, input: I) => Promise<O> {
  return (caller, input) => work(caller.userId, input);
}
