import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Runs a TypeScript program of the workspace to its end; rejects with what it printed when it fails. */
export function run(root: string, entry: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--conditions=@parley/source', join(root, entry)], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`.trim() || error.message));
      else resolve();
    });
  });
}
