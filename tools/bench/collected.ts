import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AppProcess } from '../../packages/testing/src/app-process.ts';

/** To be required by a process (`NODE_OPTIONS`) that is to collect its garbage when it is asked. */
export const COLLECT = fileURLToPath(new URL('./collect-on-signal.cjs', import.meta.url));

const COLLECT_MAX_MS = 30_000;

/** Resolves when every thread of the process has said that it has collected, with the bytes that they have in use then, on their heaps and beside. */
export async function collected({ app, threads }: { app: AppProcess; threads: number }): Promise<number> {
  const said = () => [...app.output().matchAll(/has collected, (\d+) bytes/g)].map(([, bytes]) => Number(bytes));
  const before = said().length;
  process.kill(app.pid, 'SIGUSR2');
  for (const deadline = Date.now() + COLLECT_MAX_MS; said().length < before + threads; await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`process ${app.pid} did not collect its garbage`);
  }
  return said()
    .slice(before)
    .reduce((sum, bytes) => sum + bytes, 0);
}
