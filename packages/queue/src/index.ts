export {
  type AnyJob,
  FAN_CHANNELS_MAX,
  JOB_VERSION,
  JOBS,
  type JobDefinition,
  type Payload,
  queuePrefix,
} from './catalog.ts';
export type { QueueServer } from './connection.ts';
export { JobConsumer } from './consumer.ts';
export { createDeadJobs, type DeadJob, type DeadJobs } from './dead-jobs.ts';
export { createDoorbell, RING_EVERY_MS } from './doorbell.ts';
export { createJobPurge } from './job-purge.ts';
export { createLaneConsumer } from './lane-consumer.ts';
export { type AddOptions, createProducer, type Producer } from './producer.ts';
export { pushSettings } from './push-settings.ts';
export { createQueueWatch } from './queue-watch.ts';
export { createScheduler, type Rhythm, type Schedule } from './scheduler.ts';
export { queueSettings } from './settings.ts';
export { createThrottle, type Throttle } from './throttle.ts';
export { createThumbnails } from './thumbnails.ts';
export { Hopeless, TryLater } from './try-later.ts';
