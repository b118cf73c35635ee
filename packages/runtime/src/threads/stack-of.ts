import { type InspectorNotification, Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';
import * as z from 'zod';

const attachedSchema = z.object({ sessionId: z.string(), workerInfo: z.object({ title: z.string() }) });
const detachedSchema = z.object({ sessionId: z.string() });
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
 * when it does not say in time, as one that waits inside native code does not. The thread goes on
 * afterwards; the inspector stays with it until it ends.
 */
export function stackOf(threadId: number, withinMs: number): Promise<string[] | null> {
  // Only the main thread's inspector knows of threads.
  if (!isMainThread) return Promise.resolve(null);
  const session = new Session();
  session.connect();
  const tell = (sessionId: string, method: string) =>
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) });
  const found = Promise.withResolvers<string[] | null>();
  let own: string | undefined;
  /** A thread that is paused, or about to be, cannot be ended: it is let go before anything else. */
  const letGo = () => {
    if (own !== undefined) tell(own, 'Debugger.disable');
  };
  session.on('NodeWorker.attachedToWorker', ({ params }: InspectorNotification<unknown>) => {
    const attached = attachedSchema.safeParse(params).data;
    // The ids that it gives are numbers of its own.
    if (!attached?.workerInfo.title.startsWith(`[worker ${threadId}] `)) return;
    own = attached.sessionId;
    tell(own, 'Debugger.enable');
    tell(own, 'Debugger.pause');
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }: InspectorNotification<unknown>) => {
    const heard = heardSchema.safeParse(params).data;
    const paused = heard && pausedSchema.safeParse(JSON.parse(heard.message)).data;
    if (!paused) return;
    letGo();
    found.resolve(
      paused.params.callFrames.map(
        ({ functionName, url, location }) => `${functionName || '(anonymous)'} (${url}:${location.lineNumber + 1})`,
      ),
    );
  });
  // Detached before it is let go, a thread would stay paused for ever.
  session.on('NodeWorker.detachedFromWorker', ({ params }: InspectorNotification<unknown>) => {
    if (detachedSchema.safeParse(params).data?.sessionId === own) session.disconnect();
  });
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const late = setTimeout(() => {
    letGo();
    found.resolve(null);
  }, withinMs);
  return found.promise.finally(() => clearTimeout(late));
}
