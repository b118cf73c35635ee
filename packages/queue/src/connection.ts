import { Redis, type RedisOptions } from 'ioredis';

/** What every queue needs to know of its server. */
export interface QueueServer {
  readonly url: string;
  /** `queuePrefix` of the deployment's key prefix. */
  readonly prefix: string;
}

/** A connection that can be told to stop trying: BullMQ's copies of it share its options, and would else try for ever. */
export interface Connection {
  readonly redis: Redis;
  end(): void;
}

/** For who adds jobs: a call fails at once when the server is away, and nothing is queued in memory. */
export function producerConnection(url: string): Connection {
  return connect(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_000 });
}

/** For who runs jobs: waits for the server as long as it takes. BullMQ blocks on it, so a command has no deadline. */
export function consumerConnection(url: string): Connection {
  return connect(url, { maxRetriesPerRequest: null });
}

type Patience = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>;

function connect(url: string, patience: Patience): Connection {
  let ended = false;
  const redis = new Redis(url, {
    ...patience,
    connectTimeout: 2_000,
    keepAlive: 10_000,
    // Null ends the connection for good.
    retryStrategy: (attempt) =>
      ended ? null : Math.min(2_000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2),
    // READONLY after a fail-over: connect again and send the command again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  });
  return {
    redis,
    end() {
      ended = true;
      redis.disconnect();
    },
  };
}
