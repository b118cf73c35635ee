/** Limits that are part of the contract: a client may check them before it asks. */
export const BODY_MAX_BYTES = 2_048;
export const FRAME_MAX_BYTES = 65_536;
/** Calls in one frame, which is also the number of subscriptions one connection may hold. */
export const BATCH_MAX_CALLS = 128;
export const PAGE_DEFAULT = 20;
export const PAGE_MAX = 100;
export const CHANNEL_LIST_DEFAULT = 50;
/** Entries that a channel's window keeps once they are persisted. */
export const WINDOW_MAX_ENTRIES = 200;
/** A feed that is further behind than this is told to `resync` instead. */
export const RESUME_MAX_ENTRIES = 500;
export const NAME_MAX_CHARS = 100;
export const MENTIONS_MAX = 50;
export const ATTACHMENTS_MAX = 10;
export const MEMBERS_PER_CALL_MAX = 100;
export const USERS_PER_CALL_MAX = 200;
export const TOPIC_MAX_CHARS = 500;
export const STATUS_TEXT_MAX_CHARS = 100;
export const SEARCH_MIN_CHARS = 3;
export const SEARCH_MAX_CHARS = 100;
export const URL_MAX_CHARS = 2_000;
export const FILE_NAME_MAX_CHARS = 255;
export const EMOJI_MAX_CHARS = 32;
/** Different emojis that one message may have. */
export const EMOJIS_PER_MESSAGE_MAX = 20;
/** How long `typing.set` holds. */
export const TYPING_TTL_MS = 3_000;
/** Above this number of members a channel's feed tells no presence: `presence.get` does. */
export const PRESENCE_MEMBERS_MAX = 100;
