import { type InspectorNotification, Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';
import * as z from 'zod';

const attachedSchema = z.object({ sessionId: z.string(), workerInfo: z.object({ title: z.string() }) });
const heardSchema = z.object({ sessionId: z.string(), message: z.string() });
const pausedSchema = z.object({
  method: z.literal('Debugger.paused'),
  params: z.object({
    callFrames: z.array(
      z.object({ functionName: z.string(), url: z.string(), location: z.object({ lineNumber: z.number() }) }),
    ),
  }),
});

/**
 * What a thread of this process is doing, innermost call first, as `name (file:line)`: also of one whose event loop does not turn. Null
 * when it does not say in time, as one that waits inside native code does not. The thread goes on afterwards.
 */
export function stackOf(threadId: number, withinMs: number): Promise<string[] | null> {
  // Only the main thread's inspector knows of threads.
  if (!isMainThread) return Promise.resolve(null);
  const session = new Session();
  session.connect();
  const tell = (sessionId: string, method: string) =>
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) });
  const found = Promise.withResolvers<string[] | null>();
  session.on('NodeWorker.attachedToWorker', ({ params }: InspectorNotification<unknown>) => {
    const attached = attachedSchema.safeParse(params).data;
    // The ids that it gives are numbers of its own.
    if (!attached?.workerInfo.title.startsWith(`[worker ${threadId}] `)) return;
    tell(attached.sessionId, 'Debugger.enable');
    tell(attached.sessionId, 'Debugger.pause');
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }: InspectorNotification<unknown>) => {
    const heard = heardSchema.safeParse(params).data;
    const paused = heard && pausedSchema.safeParse(JSON.parse(heard.message)).data;
    if (!paused) return;
    // A thread that is paused cannot be ended.
    tell(heard.sessionId, 'Debugger.disable');
    found.resolve(
      paused.params.callFrames.map(
        ({ functionName, url, location }) => `${functionName || '(anonymous)'} (${url}:${location.lineNumber + 1})`,
      ),
    );
  });
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const late = setTimeout(() => found.resolve(null), withinMs);
  return found.promise.finally(() => {
    clearTimeout(late);
    session.disconnect();
  });
}
