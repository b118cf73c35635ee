/** What concerns one user's sessions on every node. A hint may be lost: the next inbox snapshot says the same. */
export type UserHint =
  | { readonly type: 'channel.added'; readonly channelId: string }
  | { readonly type: 'channel.invited'; readonly channelId: string }
  | { readonly type: 'channel.removed'; readonly channelId: string; readonly reason: 'left' | 'removed' };

/** Carries hints to a user's sessions. Never throws, never awaited. */
export interface UserHints {
  tell(userIds: readonly string[], hint: UserHint): void;
}
