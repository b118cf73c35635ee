import { describe, expect, it } from 'vitest';
import { isAllowedType } from '../src/create-attachment.ts';
import { INLINE_TYPES, sniff } from '../src/sniff.ts';

const latin = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('[FILE-33] what a file is', () => {
  it.each([
    ['image/png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    ['image/jpeg', '\xff\xd8\xff\xe0\0\x10JFIF'],
    ['image/gif', 'GIF89a\x01\0'],
    ['image/webp', 'RIFF\x24\0\0\0WEBPVP8 '],
    ['image/avif', '\0\0\0\x1cftypavif'],
    ['image/heic', '\0\0\0\x18ftypheic'],
    ['application/pdf', '%PDF-1.7\n%\xe2\xe3'],
    ['application/zip', 'PK\x03\x04\x14\0'],
    ['video/mp4', '\0\0\0\x18ftypmp42'],
    ['video/mp4', '\0\0\0\x14ftypisom'],
    ['audio/mp4', '\0\0\0\x20ftypM4A '],
    ['audio/mpeg', 'ID3\x04\0'],
    ['audio/mpeg', '\xff\xfb\x90\x64'],
    ['audio/ogg', 'OggS\0\x02'],
    [null, 'RIFF\x24\0\0\0WAVEfmt '],
    [null, '\x7fELF\x02\x01\x01'],
    [null, '\xff\xfeh\0i\0'],
    [null, 'words and a \0'],
    [null, ''],
  ])('%s is known by its first bytes', (type, start) => {
    expect(sniff(latin(start))).toBe(type);
  });

  it.each(['words', 'привет', '你好\n', '<!doctype html><script>', '<svg xmlns="…">', 'GIF87 is not it'])(
    '%s is text',
    (text) => {
      expect(sniff(utf8(text))).toBe('text/plain');
    },
  );

  it('is text although a character is cut in two, and is not although only its end is foreign', () => {
    expect(sniff(utf8('привет').subarray(0, 5))).toBe('text/plain');
    expect(sniff(latin('words \xfe\xff words'))).toBeNull();
  });

  it('nothing that can carry a script is shown in place', () => {
    for (const type of ['text/html', 'image/svg+xml', 'application/xml', 'text/plain', 'application/pdf']) {
      expect(INLINE_TYPES.has(type), type).toBe(false);
    }
  });

  it('a kind stands for its types, and for nothing that only begins like it', () => {
    expect(isAllowedType(['image/*'], 'image/png')).toBe(true);
    expect(isAllowedType(['text/plain'], 'text/plain')).toBe(true);
    expect(isAllowedType(['*/*'], 'a/b')).toBe(true);
    expect(isAllowedType(['image/*', 'text/plain'], 'text/html')).toBe(false);
    expect(isAllowedType(['image/*'], 'images/png')).toBe(false);
    expect(isAllowedType([], 'image/png')).toBe(false);
  });
});
