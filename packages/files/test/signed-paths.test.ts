import { randomUUID } from 'node:crypto';
import { filePaths } from '@parley/domain';
import { readSettings } from '@parley/runtime';
import { describe, expect, it } from 'vitest';
import { contentDisposition } from '../src/content-disposition.ts';
import { filesContradictions, filesSettings, storageContradictions } from '../src/settings.ts';
import { createSignedPaths } from '../src/signed-paths.ts';

const paths = createSignedPaths('a secret of more than thirty-two bytes');
const path = filePaths.upload(randomUUID());

describe('a signed path', () => {
  const signed = paths.sign('PUT', path, { expiresAt: 1_000, numbers: { size: 7 } });

  it('[FILE-17] is good for its method until it expires, and says what was signed', () => {
    expect(paths.check('PUT', signed, 999)).toEqual({ type: 'valid', numbers: { size: 7, expires: 1_000 } });
    expect(paths.check('PUT', signed, 1_000)).toEqual({ type: 'expired' });
    expect(paths.check('GET', signed, 0)).toEqual({ type: 'forged' });
  });

  it('[FILE-17] is worth nothing with any other character in it, or by any other secret', () => {
    for (let at = 0; at < signed.length - 1; at++) {
      const changed = signed.slice(0, at) + (signed[at] === 'x' ? 'y' : 'x') + signed.slice(at + 1);
      expect(paths.check('PUT', changed, 0), changed).toEqual({ type: 'forged' });
    }
    for (const more of [`${signed}x`, `${signed}&size=9`, signed.slice(0, -2), path, '', `${path}?&signature=`]) {
      expect(paths.check('PUT', more, 0), more).toEqual({ type: 'forged' });
    }
    const other = createSignedPaths('another secret of more than 32 bytes');
    expect(other.check('PUT', signed, 0)).toEqual({ type: 'forged' });
  });
});

it('[FILE-20] a file’s name says what it says in any script, and nothing else of the header', () => {
  expect(contentDisposition('attachment', 'plain name-1.txt')).toBe(
    `attachment; filename="plain name-1.txt"; filename*=UTF-8''plain%20name-1.txt`,
  );
  const odd = contentDisposition('inline', `"; x=1\r\nSet-Cookie: a\\ü'()*${'\ud83d'}`);
  expect(odd).toMatch(/^[\x20-\x7e]+$/);
  expect(odd.match(/"/g)).toHaveLength(2);
  expect(odd).toContain("filename*=UTF-8''%22%3B%20x%3D1%0D%0ASet-Cookie%3A%20a%5C%C3%BC%27%28%29%2A%EF%BF%BD");
});

it('[FILE-32] settings of the storage that contradict each other, or leave no key to sign with, are named', () => {
  const bucket = { S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'key' };
  const names = (problems: readonly string[]) => problems.map((problem) => problem.split(':')[0]);
  expect(storageContradictions({})).toEqual([]);
  expect(storageContradictions(bucket)).toEqual([]);
  expect(names(storageContradictions({ S3_BUCKET: 'b' }))).toEqual(['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']);
  expect(names(storageContradictions({ S3_ENDPOINT: 'http://x', S3_ACCESS_KEY_ID: 'id' }))).toEqual(['S3_BUCKET']);
  expect(names(filesContradictions({ AUTH_JWKS_URL: 'https://keys' }))).toEqual(['FILES_SECRET']);
  expect(names(filesContradictions({ AUTH_JWKS_URL: 'https://keys', FILES_SECRET: 'short' }))).toEqual([
    'FILES_SECRET',
  ]);
  expect(filesContradictions({ AUTH_JWKS_URL: 'https://keys', FILES_SECRET: 'x'.repeat(32) })).toEqual([]);
  expect(filesContradictions({ AUTH_SECRET: 'x'.repeat(32) })).toEqual([]);
  const bad = { S3_BUCKET: 'a/../b', ATTACHMENT_TYPES: 'image/*, pdf', ATTACHMENT_MAX_BYTES: '0' };
  for (const [name, value] of Object.entries(bad)) {
    expect(() => readSettings(filesSettings, { [name]: value }), name).toThrow(`1 bad setting:\n  ${name}: `);
  }
  expect(
    readSettings(filesSettings, { ATTACHMENT_TYPES: 'image/*, application/vnd.ms-excel, */*' }).ATTACHMENT_TYPES,
  ).toEqual(['image/*', 'application/vnd.ms-excel', '*/*']);
});
