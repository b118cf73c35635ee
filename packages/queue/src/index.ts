export { JOB_VERSION, JOBS, type JobDefinition, type Payload, queuePrefix } from './catalog.ts';
export type { QueueServer } from './connection.ts';
export { JobConsumer } from './consumer.ts';
export { createDoorbell, RING_EVERY_MS } from './doorbell.ts';
export { createLaneConsumer } from './lane-consumer.ts';
export { createProducer, type Producer } from './producer.ts';
export { queueSettings } from './settings.ts';
export { createThumbnails } from './thumbnails.ts';
