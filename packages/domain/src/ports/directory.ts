import type { Notify, Parsed, User } from '@parley/protocol';

/** What a user may say of himself. What is absent stays as it is. */
export type UserPatch = Parsed<'user.update'>;

/** Users, as they find and describe one another. Every method is one statement. Users who are disabled or erased are never found. */
export interface Directory {
  /** Among those who share a channel with the user, or among everybody when it is open. Whom he blocked is left out. */
  search(query: { userId: string; text: string; open: boolean; limit: number }): Promise<User[]>;
  /** Those who share a channel with the user, the most recently active channel first. Whom he blocked is left out. */
  contacts(userId: string, limit: number): Promise<User[]>;
  /** Null when there is no such user. `notify` holds what he has set, and nothing else. */
  settings(userId: string): Promise<{ notify: Partial<Notify>; blocked: string[] } | null>;
  /** Null when there is no such user. */
  update(userId: string, patch: UserPatch): Promise<User | null>;
  /** False when there is no such user to block. */
  block(userId: string, blockedId: string): Promise<boolean>;
  /** False when he was not blocked. */
  unblock(userId: string, blockedId: string): Promise<boolean>;
  /** Of those users of whom there is something to say; the others may come in with any token. */
  standings(userIds: readonly string[]): Promise<Standing[]>;
}

/** Why a user may not come in, or only with a token newer than a time. Times are epoch milliseconds. */
export interface Standing {
  readonly userId: string;
  readonly disabledAt: number | null;
  readonly erasedAt: number | null;
  /** Tokens issued up to here are void. */
  readonly revokedAt: number | null;
  /** Sessions that were ended for good, as the tokens' issuer names them. */
  readonly revokedSids: readonly string[];
}
