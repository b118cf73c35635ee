import { parentPort } from 'node:worker_threads';
import type { Metrics } from '../metrics.ts';
import { type Question, questionSchema, type Saying } from './messages.ts';

interface JoinOptions {
  /** Ends what faces users, then the rest. The thread is ended when it resolves. */
  onDrain(): Promise<void>;
  readonly metrics: Metrics;
  /** Answers what the application's main thread asks through `command`. */
  onCommand?(command: unknown): unknown;
}

/** A thread's side of its supervisor. */
export interface Membership {
  /** Says that the thread serves now. Until then it counts as starting. */
  ready(): void;
}

/** Makes the thread answer its supervisor. To be called early, and once. */
export function joinSupervisor(options: JoinOptions): Membership {
  const port = parentPort;
  if (!port) throw new Error('joinSupervisor works in a worker thread only');
  const say = (saying: Saying) => port.postMessage(saying);

  async function answer(question: Question): Promise<unknown> {
    switch (question.ask) {
      case 'ping':
        return undefined;
      case 'metrics':
        return options.metrics.snapshot();
      case 'drain':
        return options.onDrain();
      case 'command':
        return options.onCommand?.(question.command);
    }
  }

  port.on('message', (message: unknown) => {
    const parsed = questionSchema.safeParse(message);
    if (!parsed.success) return;
    const answerTo = parsed.data.question;
    answer(parsed.data).then(
      (value) => say({ answerTo, value }),
      (error: unknown) => say({ answerTo, error: String(error) }),
    );
  });
  return { ready: () => say({ ready: true }) };
}
