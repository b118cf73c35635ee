import type { Channel, Page, Position, User } from '@parley/protocol';
import type { EraseStore } from './erasure.ts';

/** A user as an administrator sees him. Times are epoch milliseconds. */
export interface AdminUser extends Omit<User, 'status'> {
  readonly email: string | null;
  readonly locale: string | null;
  readonly createdAt: number;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
  readonly erasedAt: number | null;
  readonly channels: number;
}

/** A channel as an administrator sees it: what is said in it is not his to read. */
export interface AdminChannel extends Channel {
  readonly memberLimit: number;
  readonly head: Position | null;
  readonly activeAt: number;
}

export interface AdminPageQuery {
  /** Part of a name. */
  readonly text: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface Announcement {
  readonly id: string;
  readonly text: string;
  readonly at: number;
}

/** One line of the audit. Never a token, never what was said. */
export interface AuditLine {
  /** The same for the line that says what was asked and the one that says what became of it. */
  readonly callId: string;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly target: string | null;
  /** Null: asked; else `ok` or the error's code. */
  readonly outcome: string | null;
}

/** One line of a user's export. */
export interface ExportLine {
  /** The table that it is of. */
  readonly table: string;
  readonly row: unknown;
}

/** Postgres, as administrators read and write it. Every method is one statement unless it says otherwise. */
export interface AdminStore extends EraseStore {
  /** Null when there is one with this id already. */
  createUser(user: {
    id: string;
    name: string;
    avatarUrl: string | null;
    email: string | null;
  }): Promise<AdminUser | null>;
  user(userId: string): Promise<AdminUser | null>;
  /** Newest first, by keyset. */
  users(query: AdminPageQuery): Promise<Page<AdminUser>>;
  /** False when there is no such user, or he was erased. */
  disable(userId: string, disabled: boolean): Promise<boolean>;
  /** Voids all tokens issued up to now, or ends one session for good. False when there is no such user. */
  revoke(userId: string, sid: string | null): Promise<boolean>;
  channel(channelId: string): Promise<AdminChannel | null>;
  /** Newest first, by keyset. */
  channels(query: AdminPageQuery): Promise<Page<AdminChannel>>;
  /** Removes the channel and its members, and keeps its id for ever. False when there was none; what was said is still there. */
  deleteChannel(channelId: string): Promise<boolean>;
  /** Deleted channels of which rows may still be there. */
  deletions(): Promise<string[]>;
  /** Removes what was said in a deleted channel, several statements of some rows each. True when nothing of it is left. */
  removeRows(channelId: string): Promise<boolean>;
  announce(announcement: { id: string; text: string }): Promise<Announcement>;
  announcements(query: Omit<AdminPageQuery, 'text'>): Promise<Page<Announcement>>;
  /** Appends; a line is never changed. */
  audit(line: AuditLine): Promise<void>;
  auditLines(query: Omit<AdminPageQuery, 'text'>): Promise<Page<AuditLine & { at: number }>>;
  /** Everything of the user, read in pages. What is accepted and not yet persisted is not among it. */
  exportUser(userId: string): AsyncIterable<ExportLine>;
}
