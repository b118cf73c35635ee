/** What concerns every node. A hint may be lost: Postgres has the truth, and each node asks it again every half minute. */
export type EverybodyHint =
  /** To be told to every inbox. */
  | { readonly type: 'announcement'; readonly announcementId: string; readonly text: string; readonly at: number }
  /** The user's standing has changed: live sessions may have to end. */
  | { readonly type: 'user.standing'; readonly userId: string }
  /** What he wrote is to be served no more from anybody's memory. */
  | { readonly type: 'user.erased'; readonly userId: string }
  | { readonly type: 'channel.deleted'; readonly channelId: string };

/** Carries a hint to every node. Rejects when nobody can have heard it. */
export interface EverybodyHints {
  tell(hint: EverybodyHint): Promise<void>;
}
