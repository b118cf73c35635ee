import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createLog, createMetrics, type Metrics } from '@parley/runtime';
import { freePort } from '@parley/testing';
import { composeThread } from '../src/compose.ts';
import { readApiSettings } from '../src/settings.ts';

/** Another node on a stack's stores. */
export interface OtherNode extends AsyncDisposable {
  readonly url: string;
}

/** A thread of this process. */
export async function startOtherNode(env: Record<string, string>): Promise<OtherNode & { readonly metrics: Metrics }> {
  const settings = readApiSettings(env);
  const port = await freePort();
  const metrics = createMetrics();
  const log = createLog({ name: 'other', level: settings.LOG_LEVEL });
  const listen = { port, host: '127.0.0.1', reusePort: false };
  const thread = composeThread({ settings, listen, threads: 1, log, metrics });
  await thread.run();
  return { url: `http://127.0.0.1:${port}`, metrics, [Symbol.asyncDispose]: () => thread.drain() };
}

/** A process of its own, which can be killed. */
export async function spawnOtherNode(
  env: Record<string, string>,
): Promise<OtherNode & { readonly kill: () => Promise<void> }> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--conditions=@parley/source', 'apps/api/src/main.ts'], {
    env: { PATH: process.env.PATH ?? '', ...env, PORT: String(port), THREADS: '1' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exit = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('listening on')) resolve();
    });
  });
  return { url: `http://127.0.0.1:${port}`, kill, [Symbol.asyncDispose]: kill };
}
