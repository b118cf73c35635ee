import type { Answer, Channel, Position } from '@parley/protocol';
import type { StoredMessage } from '../message-state.ts';

/** A page of messages that were found, newest first, and where Postgres had the heads of their channels in the same snapshot. */
export interface MessagesFound {
  readonly items: readonly StoredMessage[];
  readonly nextCursor: string | null;
  readonly heads: readonly { readonly channelId: string; readonly head: Position | null }[];
}

/** What a user looks for among the messages of his channels. */
export interface MessageSearch {
  readonly userId: string;
  /** Words as they are: what is a wildcard elsewhere is a character here. */
  readonly query: string;
  readonly channelId: string | null;
  readonly senderId: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** Looking for what one does not have the id of. Each is one statement. */
export interface Finding {
  /** In channels that the user is a member of, archived ones too, by the same statement. Without deleted and encrypted messages. */
  search(search: MessageSearch): Promise<MessagesFound>;
  /** Public channels that are not archived, newest activity first; `query` null: all of them. */
  browse(page: {
    query: string | null;
    cursor: string | null;
    limit: number;
  }): Promise<{ items: Channel[]; nextCursor: string | null }>;
  /** `since`: the first millisecond of the first day of `perDay`. */
  stats(channelId: string, since: number): Promise<Answer<'channel.stats'>>;
}
