import { openStorage } from '@parley/files';
import { JOBS } from '@parley/queue';
import { type Lifecycle, type Log, systemClock } from '@parley/runtime';
import type { Store } from '@parley/store';
import type { JobWiring } from './job-wiring.ts';
import { createAttachmentCleanUp } from './jobs/clean-attachments.ts';
import { createMakeThumbnail } from './jobs/make-thumbnail.ts';
import type { WorkerSettings } from './settings.ts';
import { ImageThread } from './thumbnails/image-thread.ts';

interface FileParts {
  readonly settings: WorkerSettings;
  readonly lifecycle: Lifecycle;
  readonly wiring: JobWiring;
  readonly store: Store;
  readonly logger: Log;
}

const DAY_MS = 86_400_000;

/** The jobs of attachments. */
export function composeFiles({ settings, lifecycle, wiring, store, logger }: FileParts): void {
  const { objects } = lifecycle.supporting(openStorage(settings, { log: logger }));
  const images = lifecycle.supporting(new ImageThread());
  wiring.consume(JOBS.makeThumbnail, createMakeThumbnail({ attachments: store.attachments, objects, images }));
  const { MESSAGE_RETENTION_DAYS: days } = settings;
  const retentionMs = days === null ? null : days * DAY_MS;
  const cleanUp = createAttachmentCleanUp({ graves: store.graves, objects, clock: systemClock, retentionMs });
  wiring.consume(JOBS.cleanAttachments, async (_payload, signal) => {
    const removed = await cleanUp(signal);
    if (removed > 0) logger.info({ removed }, 'attachments removed');
  });
}
