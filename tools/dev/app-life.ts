import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Life } from './supervised.ts';

const READY_MS = 60_000;
const END_MS = 10_000;

/** How to run one app of the workspace. */
export interface App {
  readonly name: string;
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  /** The start of the line that says that it is ready; it is not passed on. */
  readonly ready: string;
  readonly say: (line: string) => void;
  /** Told the pid of each life, so that a later start can end what a killed one left. */
  readonly onPid: (pid: number) => void;
}

/**
 * Runs the app as a process in a group of its own: Ctrl-C reaches only this process, which decides who ends when. The IPC channel
 * tells the app when this process is killed.
 */
export async function startApp(app: App): Promise<Life> {
  const child = spawn(process.execPath, ['--conditions=@parley/source', app.entry], {
    env: app.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
  });
  if (child.pid) app.onPid(child.pid);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const end = () => endOf(child, ended);
  try {
    await ready(child, ended, app);
  } catch (error) {
    await end();
    throw error;
  }
  return { ended, end };
}

async function ready(child: ChildProcess, ended: Promise<string>, app: App): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${app.name} was not ready within ${READY_MS} ms`)), READY_MS);
    passOn(child.stderr, app.say);
    passOn(child.stdout, (line) => {
      if (!line.startsWith(app.ready)) return app.say(line);
      clearTimeout(late);
      resolve();
    });
    void ended.then((why) => {
      clearTimeout(late);
      reject(new Error(`${app.name} ended (${why}) before it was ready`));
    });
  });
}

async function endOf(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await ended;
  clearTimeout(late);
}

function passOn(stream: Readable | null, say: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', say);
}
