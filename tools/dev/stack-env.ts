import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every process of a stack must agree on. */
export interface StackEnv {
  readonly DATABASE_URL: string;
  readonly REDIS_LOG_URL: string;
  readonly REDIS_CACHE_URL: string;
  readonly AUTH_SECRET?: string;
  readonly DEV_TOKENS: string;
  readonly ATTACHMENTS_DIR: string;
  readonly FILES_SECRET?: string;
}

/** The secret of the environment, else the one of the last start, else a new one; none where a key server is named. */
export function secretOf(dir: string, env: NodeJS.ProcessEnv): Pick<StackEnv, 'AUTH_SECRET' | 'DEV_TOKENS'> {
  const { AUTH_SECRET, AUTH_JWKS_URL, DEV_TOKENS } = env;
  if (AUTH_JWKS_URL) return { DEV_TOKENS: DEV_TOKENS ?? 'false' };
  return { AUTH_SECRET: AUTH_SECRET ?? keptSecret(dir, 'AUTH_SECRET'), DEV_TOKENS: DEV_TOKENS ?? 'true' };
}

/** Attachments lie beside the rest of the stack's data. Where a key server is named, links to them need a secret of their own. */
export function filesOf(dir: string, env: NodeJS.ProcessEnv): Pick<StackEnv, 'ATTACHMENTS_DIR' | 'FILES_SECRET'> {
  const { ATTACHMENTS_DIR = join(dir, 'attachments'), AUTH_JWKS_URL, FILES_SECRET } = env;
  if (!AUTH_JWKS_URL && !FILES_SECRET) return { ATTACHMENTS_DIR };
  return { ATTACHMENTS_DIR, FILES_SECRET: FILES_SECRET ?? keptSecret(dir, 'FILES_SECRET') };
}

function keptSecret(dir: string, name: string): string {
  const kept = new RegExp(`^${name}=(.+)$`, 'm').exec(textOf(join(dir, 'stack.env')))?.[1];
  return kept ?? randomBytes(32).toString('hex');
}

/** Writes `stack.env`, which `npm run api`, `worker`, `verify` … read: for this user's eyes only, whole or not at all. */
export function writeStackEnv(dir: string, values: StackEnv): void {
  const path = join(dir, 'stack.env');
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The first start.
  }
}
