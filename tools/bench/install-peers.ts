import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../../load-tests/', import.meta.url));

/** The peers' dependencies are no part of the workspace: installs them when they are not there as the lock wants them. */
export async function installPeers(say: (text: string) => void): Promise<void> {
  if (isInstalled()) return;
  say('installing load-tests (npm ci), about a minute …');
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: FOLDER, env });
}

/** Whether each dependency that package.json names is there in its version. */
function isInstalled(): boolean {
  const { dependencies } = manifest(FOLDER);
  return Object.entries(dependencies ?? {}).every(([name, version]) => {
    const dir = `${FOLDER}node_modules/${name}/`;
    return existsSync(dir) && manifest(dir).version === version;
  });
}

function manifest(dir: string): { version?: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(`${dir}package.json`, 'utf8'));
}
