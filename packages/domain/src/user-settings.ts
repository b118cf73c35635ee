import type { Answer, Notify, Parsed } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { Directory } from './ports/directory.ts';

export interface UserSettingsDeps {
  readonly directory: Pick<Directory, 'settings' | 'update'>;
}

/** How a user is reached who has said nothing about it. */
export const NOTIFY_DEFAULT: Notify = { push: true, email: true, quietHours: null };

/** How the caller wants to be reached, and whom he has blocked. */
export function userSettings({ directory }: UserSettingsDeps) {
  return async (userId: string): Promise<Answer<'user.settings'>> => {
    const found = await directory.settings(userId);
    return { notify: { ...NOTIFY_DEFAULT, ...found?.notify }, blocked: found?.blocked ?? [] };
  };
}

/** Changes what the input names, and nothing else. A name or picture set so goes before the token's, until that one changes. */
export function updateUser({ directory }: UserSettingsDeps) {
  return async (userId: string, patch: Parsed<'user.update'>): Promise<Answer<'user.update'>> => {
    const timeZone = patch.notify?.quietHours?.timeZone;
    if (timeZone !== undefined && !isTimeZone(timeZone)) throw new Failure('INVALID', 'not an IANA time zone');
    const user = await directory.update(userId, patch);
    // He came in while Postgres was away.
    if (!user) throw new Failure('UNAVAILABLE', 'connect again: the user has no row yet', { retryAfterMs: 1_000 });
    return user;
  };
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
