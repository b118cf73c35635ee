import { createHash } from 'node:crypto';
import { type Archive, isAway } from '@parley/domain';
import type { Log } from '@parley/runtime';
import type { Principal } from './verify-token.ts';

interface KnownUsersDeps {
  readonly archive: Pick<Archive, 'upsertUser'>;
  readonly log: Log;
  /** Users remembered; beyond it the one who was seen first is forgotten. */
  readonly remember?: number;
}

const REMEMBER = 20_000;

/**
 * Makes a user's row on first sight and refreshes it when his claims have changed; for everybody else it costs nothing. While Postgres
 * is away people come in all the same: their row is made the next time.
 */
export function createKnownUsers({ archive, log, remember = REMEMBER }: KnownUsersDeps) {
  const seen = new Map<string, string>();
  return async (principal: Principal): Promise<void> => {
    const { userId: id, name, avatarUrl, email, locale } = principal;
    const claims = { id, name, avatarUrl, email, locale };
    const hash = createHash('sha256').update(JSON.stringify(claims)).digest('base64');
    if (seen.get(id) === hash) return;
    try {
      await archive.upsertUser(claims);
    } catch (error) {
      if (!isAway(error)) throw error;
      log.warn({ err: error, userId: id }, 'a user came in whose row could not be written');
      return;
    }
    seen.set(id, hash);
    const oldest = seen.size > remember ? seen.keys().next().value : undefined;
    if (oldest !== undefined) seen.delete(oldest);
  };
}
