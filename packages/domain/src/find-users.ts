import type { Answer, Parsed } from '@parley/protocol';
import type { Directory } from './ports/directory.ts';

export interface FindUsersDeps {
  readonly directory: Pick<Directory, 'search' | 'contacts'>;
  /** Everybody may find everybody, not only those with whom he shares a channel. */
  readonly openDirectory: boolean;
}

const CONTACTS_MAX = 200;

/**
 * Users by a part of their name: three characters or more are found anywhere in it, fewer only where a word begins (among those one
 * shares a channel with: anywhere).
 */
export function searchUsers({ directory, openDirectory }: FindUsersDeps) {
  return (userId: string, { query, limit }: Parsed<'user.search'>): Promise<Answer<'user.search'>> =>
    directory.search({ userId, text: query, open: openDirectory, limit });
}

/** Those with whom the caller shares a channel, the most recently active first. */
export function listContacts({ directory }: FindUsersDeps) {
  return (userId: string): Promise<Answer<'user.contacts'>> => directory.contacts(userId, CONTACTS_MAX);
}
