import * as z from 'zod';

/** A text that is not empty. */
export function text(): z.ZodType<string> {
  return z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });
}

/** A whole number within its bounds, both included. */
export function integer(bounds: { min?: number; max?: number } = {}): z.ZodType<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds;
  const error = `a whole number${describeBounds(bounds)}`;
  return z
    .string({ error })
    .regex(/^-?\d{1,15}$/, { error, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
}

function describeBounds({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

const YES = new Set(['true', '1', 'yes', 'on']);
const NO = new Set(['false', '0', 'no', 'off']);

/** `true`, `1`, `yes`, `on`, or their opposites, in any case. */
export function bool(): z.ZodType<boolean> {
  const error = 'true or false';
  return z
    .string({ error })
    .toLowerCase()
    .refine((word) => YES.has(word) || NO.has(word), { error, abort: true })
    .transform((word) => YES.has(word));
}

/** One of the words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T): z.ZodType<T[number]> {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

/** An absolute URL with one of the protocols, written without the colon: `url(['redis', 'rediss'])`. */
export function url(protocols: readonly string[]): z.ZodType<string> {
  const error = `a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`;
  return z.string({ error }).refine(
    (value) => {
      const parsed = URL.parse(value);
      return parsed !== null && parsed.host !== '' && protocols.includes(parsed.protocol.slice(0, -1));
    },
    { error },
  );
}

/** Words with commas between them; spaces around them do not count. */
export function list(): z.ZodType<readonly string[]> {
  return z.string({ error: 'words with commas between them' }).transform((value) =>
    value
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  );
}
