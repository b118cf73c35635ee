import { execFile } from 'node:child_process';

interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a program on this Node to its end; rejects with what it printed when it fails. */
export function runNode(args: readonly string[], { cwd, env }: Surroundings): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`.trim() || error.message));
      else resolve();
    });
  });
}
