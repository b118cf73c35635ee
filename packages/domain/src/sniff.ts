/** How many first bytes of a file tell what it is. */
export const SNIFF_BYTES = 4_096;

/** Images that a browser may show in place, and of which there are thumbnails. Nothing that can carry a script is among them. */
export const INLINE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** The type of what nobody can tell. */
export const UNKNOWN_TYPE = 'application/octet-stream';

/** Beginnings by which formats are known, as Latin-1 text. */
const BEGINNINGS: readonly (readonly [beginning: string, type: string])[] = [
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
  ['%PDF-', 'application/pdf'],
  ['PK\x03\x04', 'application/zip'],
  ['PK\x05\x06', 'application/zip'],
  ['OggS', 'audio/ogg'],
  ['ID3', 'audio/mpeg'],
  // Frames without a tag before them. \xff\xfe would be text in UTF-16.
  ['\xff\xfb', 'audio/mpeg'],
  ['\xff\xfa', 'audio/mpeg'],
  ['\xff\xf3', 'audio/mpeg'],
  ['\xff\xf2', 'audio/mpeg'],
];

/** The first brand of an ISO media file says what kind it is; of every other brand it is a film. */
const BRANDS: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  heic: 'image/heic',
  heix: 'image/heic',
  mif1: 'image/heic',
  'M4A ': 'audio/mp4',
  'qt  ': 'video/quicktime',
};

/** What a file is by its first bytes, whatever anybody says of it; null when nobody can tell. */
export function sniff(start: Uint8Array): string | null {
  if (start.length === 0) return null;
  const head = String.fromCharCode(...start.subarray(0, 16));
  const found = BEGINNINGS.find(([beginning]) => head.startsWith(beginning));
  if (found) return found[1];
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (head.startsWith('ftyp', 4)) return BRANDS[head.slice(8, 12)] ?? 'video/mp4';
  return isText(start) ? 'text/plain' : null;
}

const TAB = 9;
const ESCAPE = 27;
const SPACE = 32;
const DELETE = 127;

/** UTF-8 without control characters. A character may be cut in two at the end. */
function isText(start: Uint8Array): boolean {
  for (const byte of start) {
    const isBreak = byte >= TAB && byte <= 13;
    if (byte === DELETE || (byte < SPACE && !isBreak && byte !== ESCAPE)) return false;
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    // Not UTF-8, so not text as we know it.
    return false;
  }
}
