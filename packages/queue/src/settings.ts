import { PARTITIONS } from '@parley/domain';
import { integer, setting } from '@parley/runtime';

/** Settings of everything that rings for lanes or drains them. The queues live on the log store: `REDIS_LOG_URL`, `KEY_PREFIX`. */
export const queueSettings = {
  LANES: setting(
    integer({ min: 1, max: PARTITIONS }),
    1,
    'Groups of log partitions; one worker drains a lane at a time. The same number for every api and worker',
  ),
  WORKER_CONCURRENCY: setting(integer({ min: 1, max: PARTITIONS }), 2, 'Lanes that one worker process drains at once'),
};
