import { TryLater } from '@parley/queue';
import { type Breaker, BreakerOpenError, createBreaker } from '@parley/runtime';

/** Servers that are remembered at once: they are named in settings, or known push services. */
const BREAKERS_MAX = 1_000;

/** Does work that needs a server of somebody else, or throws `TryLater` while that server is known not to answer. */
export type Patience = <T>(server: string, work: () => Promise<T>) => Promise<T>;

/** A breaker a server: while one is away, its jobs wait and count no tries, and the others go on. */
export function createPatience(): Patience {
  const breakers = new Map<string, Breaker>();
  return async (server, work) => {
    if (breakers.size >= BREAKERS_MAX) breakers.clear();
    const breaker = breakers.get(server) ?? createBreaker({ name: server });
    breakers.set(server, breaker);
    try {
      return await breaker.run(work);
    } catch (error) {
      if (error instanceof BreakerOpenError) throw new TryLater(error.retryAfterMs, error.message);
      throw error;
    }
  };
}
