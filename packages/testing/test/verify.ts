import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface VerifyReport {
  readonly ok: boolean;
  readonly accepted: number;
  readonly persisted: number;
  readonly waiting: number;
  readonly lost: number;
  readonly duplicate: number;
  readonly reused: number;
  readonly holes: number;
}

/** Runs `npm run verify`'s own program against a cluster: its exit code and its JSON line. */
export async function verify(env: Record<string, string>): Promise<{ code: number | null; report: VerifyReport }> {
  const child = spawn(process.execPath, ['--conditions=@parley/source', 'tools/verify.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, report: JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as VerifyReport };
}
