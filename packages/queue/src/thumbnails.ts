import { Failure, type Thumbnails } from '@parley/domain';
import type { Log, Service } from '@parley/runtime';
import { JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { createProducer } from './producer.ts';

/** Asks for thumbnails through BullMQ. `UNAVAILABLE` when the queue is away: then nobody has the wish. */
export function createThumbnails({ server, log }: { server: QueueServer; log: Log }): Thumbnails & Service {
  const producer = createProducer({ server, job: JOBS.makeThumbnail, log });
  return {
    name: 'thumbnails',
    run() {},
    async ask(attachmentId) {
      try {
        await producer.add({ attachmentId }, { onceKey: attachmentId });
      } catch (error) {
        throw new Failure('UNAVAILABLE', 'thumbnails cannot be asked for now', { cause: error, retryAfterMs: 1_000 });
      }
    },
    stop: () => producer.close(),
  };
}
