import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Longer texts are compressed: below it the gain is less than the work. */
const COMPRESS_FROM_BYTES = 1_024;
/** What is larger is not kept: reading it would hold everybody else up. */
const COPY_MAX_BYTES = 65_536;

const PLAIN = 0x6a;
const DEFLATED = 0x7a;

/** A copy as it is stored, with the key that it was stored under and when it ends. */
export interface Copy {
  readonly key: string;
  readonly endsAt: number;
  /** The generation of the whole cache when the reading began; null: it has none, or was never cleared. */
  readonly era: string | null;
  readonly value: unknown;
}

/** One byte says how the rest is to be read. Null: too large to keep. */
export function encodeCopy({ key, endsAt, era, value }: Copy): Buffer | null {
  const text = Buffer.from(JSON.stringify([key, endsAt, era, value]));
  if (text.length > COPY_MAX_BYTES) return null;
  if (text.length < COMPRESS_FROM_BYTES) return Buffer.concat([Buffer.of(PLAIN), text]);
  return Buffer.concat([Buffer.of(DEFLATED), deflateRawSync(text, { level: 1 })]);
}

/** Null for what `encodeCopy` did not write, or wrote for another key. */
export function decodeCopy(stored: Buffer, key: string): Copy | null {
  try {
    const text = textOf(stored);
    const [at, endsAt, era, value] = JSON.parse(text ?? 'null') as [unknown, unknown, string | null, unknown];
    return at === key && typeof endsAt === 'number' ? { key, endsAt, era, value } : null;
  } catch {
    // Whatever it is, it is none of ours.
    return null;
  }
}

function textOf(stored: Buffer): string | null {
  const body = stored.subarray(1);
  if (stored[0] === PLAIN) return body.toString();
  // The bound keeps a poisoned copy from growing without one.
  return stored[0] === DEFLATED ? inflateRawSync(body, { maxOutputLength: COPY_MAX_BYTES }).toString() : null;
}
