import { once } from 'node:events';
import type { AppProcess } from '../src/app-process.ts';
import { until } from './sdk-user.ts';

/** What a process must have in its environment, so that its debugger takes a port that is free. */
export const DEBUGGABLE = { NODE_OPTIONS: '--inspect-port=0' };

interface Heard {
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly workerInfo?: { readonly url: string } };
}

/**
 * Has a thread of a running process run a loop that ends after so long at the earliest, as a fault in its code would: through the
 * debugger of Node, so that no program has a switch for it. To be disposed when the loop has done its harm.
 */
export async function stickThread(app: AppProcess, entry: RegExp, forMs: number): Promise<Disposable> {
  process.kill(app.pid, 'SIGUSR1');
  const listening = () => /Debugger listening on (ws:\S+)/.exec(app.output())?.[1];
  await until(() => listening() !== undefined);
  const debug = new WebSocket(listening() ?? '');
  await once(debug, 'open');
  const tell = (method: string, params: object) => debug.send(JSON.stringify({ id: 1, method, params }));
  const session = await new Promise<string>((resolve) => {
    debug.addEventListener('message', ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as Heard;
      if (method === 'NodeWorker.attachedToWorker' && params && entry.test(params.workerInfo?.url ?? '')) {
        resolve(params.sessionId);
      }
    });
    tell('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
  const expression = `for (const end = Date.now() + ${forMs}; Date.now() < end; );`;
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
  tell('NodeWorker.sendMessageToWorker', { sessionId: session, message });
  return { [Symbol.dispose]: () => debug.close() };
}
