import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const START_MS = 60_000;

/** One app of the workspace as a real process, run from its sources. */
export interface AppProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Everything that it printed, both streams. */
  output(): string;
  /** SIGKILL: nothing is flushed, nothing is said. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the drain to end; the exit code. */
  stop(): Promise<number | null>;
}

interface AppOptions {
  readonly name: string;
  /** Relative to the workspace's root. */
  readonly entry: string;
  readonly env: Record<string, string>;
  /** The line that says that it is ready. */
  readonly ready: RegExp;
}

/** Starts an app and resolves at its ready line; rejects with its output when it ends before that, or says nothing for a minute. */
export async function startApp(options: AppOptions): Promise<AppProcess> {
  const child = spawn(process.execPath, ['--conditions=@parley/source', options.entry], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'test', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const text = () => output.join('');
  await untilReady(child, { ...options, text });
  const ended = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  const stop = async () => {
    child.kill('SIGTERM');
    await ended();
    return child.exitCode;
  };
  return {
    name: options.name,
    pid: child.pid ?? 0,
    output: text,
    kill: async () => {
      child.kill('SIGKILL');
      await ended();
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await stop();
      clearTimeout(late);
    },
  };
}

function untilReady(child: ChildProcess, options: AppOptions & { text: () => string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`${options.name} ${why}:\n${options.text()}`));
    };
    const late = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
    const onExit = (code: number | null, signal: string | null) => {
      clearTimeout(late);
      fail(`ended (${code ?? signal}) before it was ready`);
    };
    const onText = () => {
      if (!options.ready.test(options.text())) return;
      clearTimeout(late);
      child.off('exit', onExit);
      child.stdout?.off('data', onText);
      resolve();
    };
    child.once('exit', onExit);
    child.stdout?.on('data', onText);
  });
}
