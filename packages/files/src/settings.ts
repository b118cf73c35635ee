import { bool, integer, list, setting, text, url, type Values } from '@parley/runtime';
import * as z from 'zod';

const SECRET_MIN_BYTES = 32;
const MEGABYTE = 1_048_576;

function bucketName(): z.ZodType<string> {
  const error = 'the name of a bucket: 3 to 63 small letters, digits, dots and hyphens';
  return z.string({ error }).regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error });
}

/** A word that is no type would refuse everything, and say nothing. */
function contentTypes(): z.ZodType<readonly string[]> {
  const isType = (word: string) => word === '*/*' || /^[a-z]+\/(?:\*|[a-z0-9][a-z0-9.+-]*)$/.test(word);
  return list().refine((words) => words.every(isType), { error: 'content types such as image/*,application/pdf' });
}

/** Where attachments lie, for every process that touches them. */
export const storageSettings = {
  ATTACHMENTS_DIR: setting(
    text(),
    '.data/attachments',
    'Folder of attachments where no S3_BUCKET is set; every api and worker must see the same one',
  ),
  S3_BUCKET: setting(bucketName().nullable(), null, 'Bucket of attachments; without it they lie in ATTACHMENTS_DIR'),
  S3_ENDPOINT: setting(
    url(['http', 'https']).nullable(),
    null,
    'S3-compatible server, as clients reach it too; by default that of the region',
  ),
  S3_REGION: setting(text(), 'us-east-1', 'Region of the bucket'),
  S3_ACCESS_KEY_ID: setting(text().nullable(), null, 'Who asks the S3 server'),
  S3_SECRET_ACCESS_KEY: setting(text().nullable(), null, 'Key of S3_ACCESS_KEY_ID', { secret: true }),
  S3_FORCE_PATH_STYLE: setting(
    bool(),
    false,
    'Bucket in the path instead of the host name: most servers but AWS want it',
  ),
};

/** What an api must know of attachments beside. */
export const filesSettings = {
  ...storageSettings,
  FILES_SECRET: setting(
    text().nullable(),
    null,
    'Key of links to attachments, 32 bytes or more; by default made of AUTH_SECRET. The same for every api',
    { secret: true },
  ),
  ATTACHMENT_MAX_BYTES: setting(integer({ min: 1, max: 5_000 * MEGABYTE }), 25 * MEGABYTE, 'Bytes of one attachment'),
  ATTACHMENT_TYPES: setting(
    contentTypes(),
    ['application/*', 'audio/*', 'image/*', 'text/*', 'video/*'],
    'Content types that may be attached, with commas; image/* stands for all images',
  ),
};

export type StorageSettings = Values<typeof storageSettings>;
export type FilesSettings = Values<typeof filesSettings>;

/** What single settings of the storage cannot say of themselves. */
export function storageContradictions(env: NodeJS.ProcessEnv): string[] {
  const isSet = (name: string) => (env[name] ?? '') !== '';
  const parts = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'];
  if (isSet('S3_BUCKET')) {
    return parts.filter((name) => !isSet(name)).map((name) => `${name}: needed, because S3_BUCKET is set`);
  }
  const stray = ['S3_ENDPOINT', ...parts].filter(isSet);
  return stray.length === 0 ? [] : [`S3_BUCKET: needed, because ${stray.join(', ')} is set`];
}

/** The same for what an api needs beside: links must be signed with something that every api knows. */
export function filesContradictions(env: NodeJS.ProcessEnv): string[] {
  const { FILES_SECRET: secret = '', AUTH_JWKS_URL: jwks = '', AUTH_SECRET: auth = '' } = env;
  const problems = storageContradictions(env);
  if (secret === '' && auth === '' && jwks !== '') {
    problems.push('FILES_SECRET: needed with AUTH_JWKS_URL, to sign links to attachments');
  }
  if (secret !== '' && Buffer.byteLength(secret) < SECRET_MIN_BYTES) {
    problems.push(`FILES_SECRET: expected ${SECRET_MIN_BYTES} bytes or more, found ${Buffer.byteLength(secret)}`);
  }
  return problems;
}
