import * as z from 'zod/mini';
import { BODY_MAX_BYTES, EMOJI_MAX_CHARS, URL_MAX_CHARS } from './limits.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID in lower case. The shape is checked before an id enters a key, a channel name or a statement. */
export const idSchema = z.string().check(z.length(36), z.regex(UUID));

const encoder = new TextEncoder();

/** Length of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Text that every store can hold: no NUL (Postgres refuses it) and no lone surrogate (UTF-8 has none). */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** A text of at most `maxChars` UTF-16 units that every store can hold. */
export function textSchema(minChars: number, maxChars: number) {
  return z
    .string()
    .check(
      z.minLength(minChars),
      z.maxLength(maxChars),
      z.refine(isStorable, { error: 'contains NUL or a lone surrogate' }),
    );
}

/** A message's body: at most 2,048 bytes of UTF-8. The message `TOO_LARGE` tells the error table which code to use. */
export const bodySchema = z.string().check(
  z.refine(isStorable, { error: 'contains NUL or a lone surrogate' }),
  z.refine((text) => byteLength(text) <= BODY_MAX_BYTES, { error: 'TOO_LARGE' }),
);

/** An address on the web, which a page may show: `http` and `https` only. */
export const urlSchema = z
  .string()
  .check(
    z.maxLength(URL_MAX_CHARS),
    z.regex(/^https?:\/\/[^\s"'<>\\]+$/),
    z.refine(isStorable, { error: 'not storable' }),
  );

/** One emoji, or a word between colons. */
export const emojiSchema = z
  .string()
  .check(z.maxLength(EMOJI_MAX_CHARS), z.regex(/^(?::[\w+-]+:|[^\s\p{L}\p{Cc}\p{Cs}"\\<>&]+)$/u));

export const presenceStatusSchema = z.enum(['online', 'away', 'busy', 'offline']);
export type PresenceStatus = z.infer<typeof presenceStatusSchema>;

/** Opaque to clients. */
export const cursorSchema = z.string().check(z.minLength(1), z.maxLength(200), z.regex(/^[\w-]+$/));

export const roleSchema = z.enum(['owner', 'admin', 'moderator', 'member', 'guest']);
export type Role = z.infer<typeof roleSchema>;

export const channelKindSchema = z.enum(['direct', 'group', 'support', 'public']);
export type ChannelKind = z.infer<typeof channelKindSchema>;

export const levelSchema = z.enum(['accepted', 'persisted']);
/** `accepted`: in the log and fanned out. `persisted`: committed in Postgres. */
export type Level = z.infer<typeof levelSchema>;
