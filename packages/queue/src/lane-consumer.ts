import type { Log, Metrics, Service } from '@parley/runtime';
import { JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { JobConsumer } from './consumer.ts';

interface LaneConsumerOptions {
  readonly server: QueueServer;
  /** Lanes that this process drains at once. */
  readonly concurrency: number;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Drains a lane for a while. It keeps its own errors: a lane is never given up. */
  drain(lane: number, signal: AbortSignal): Promise<void>;
  readonly closeWithinMs?: number;
}

/** Answers doorbells. A lane is drained by one worker at a time as long as nobody dies; when it is not, the commit sorts it out. */
export function createLaneConsumer({ drain, ...options }: LaneConsumerOptions): Service {
  return new JobConsumer({ ...options, job: JOBS.persistLane, process: ({ lane }, signal) => drain(lane, signal) });
}
