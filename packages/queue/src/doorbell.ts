import { type Doorbell, laneOf, PARTITIONS } from '@parley/domain';
import type { Log, Metrics, Service } from '@parley/runtime';
import { JOBS } from './catalog.ts';
import { createComplaint } from './complaint.ts';
import type { QueueServer } from './connection.ts';
import { createProducer } from './producer.ts';
import { createThrottle } from './throttle.ts';

/** How often one process rings for one lane at most. */
export const RING_EVERY_MS = 50;

interface DoorbellOptions {
  readonly server: QueueServer;
  readonly lanes: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Rings through BullMQ: at most one waiting and one running job per lane in the whole deployment, and at most one add per
 * `RING_EVERY_MS`, process and lane, at both edges. A ring that fails is counted, and forgotten: workers look by themselves.
 */
export function createDoorbell({ server, lanes, log, metrics }: DoorbellOptions): Doorbell & Service {
  const producer = createProducer({ server, job: JOBS.persistLane, log });
  const complain = createComplaint({ log, message: 'a doorbell was not heard' });
  const rings = metrics.counter('doorbell_rings_total', 'Jobs added to wake a worker, by outcome', ['outcome']);
  const throttles = Array.from({ length: Math.min(lanes, PARTITIONS) }, (_, lane) =>
    createThrottle({
      everyMs: RING_EVERY_MS,
      async work() {
        try {
          await producer.add({ lane }, { onceKey: `lane-${lane}` });
          rings.inc({ outcome: 'rung' });
        } catch (error) {
          rings.inc({ outcome: 'failed' });
          complain(error);
        }
      },
    }),
  );
  return {
    name: 'doorbell',
    run() {},
    ring(partition) {
      throttles[laneOf(partition, lanes)]?.ask();
    },
    async stop() {
      for (const throttle of throttles) throttle.stop();
      await producer.close();
    },
  };
}
