import { randomUUID } from 'node:crypto';
import type { EphemeralBroker, EphemeralEvents, EphemeralTopic } from '@parley/domain';
import type { Clock, Log, Metrics, Service } from '@parley/runtime';
import type { Redis } from 'ioredis';
import type { CacheStore } from './cache-store.ts';
import type { Keys } from './keys.ts';
import { Subscriptions } from './subscriptions.ts';

interface EphemeralBrokerOptions {
  readonly store: CacheStore;
  /** Of kind `subscriber`, to the same server. */
  readonly subscriber: Redis;
  readonly keys: Keys;
  readonly events: EphemeralEvents;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'gauge'>;
  readonly clock?: Clock;
  readonly echoEveryMs?: number;
}

/** Publications of the cache store. */
export class RedisEphemeralBroker implements EphemeralBroker, Service {
  readonly name = 'ephemeral broker';
  readonly #subscriptions: Subscriptions<EphemeralTopic>;

  constructor({ store, keys, events, metrics, ...options }: EphemeralBrokerOptions) {
    this.#subscriptions = new Subscriptions({
      ...options,
      name: this.name,
      publish: (key, text) => store.run((redis) => redis.publish(key, text)),
      self: keys.node(randomUUID()),
      keyOf: (topic) => (topic === 'presence' ? keys.presence : keys.typing(topic.typingIn)),
      heard: (topic, text) => {
        if (topic === 'presence') events.presence(text);
        else events.typing(topic.typingIn, text);
      },
      suspect: () => events.suspect(),
    });
    metrics.gauge('ephemeral_topics', 'Topics of the cache store that a thread listens to', {
      collect: (gauge) => gauge.set(this.#subscriptions.size),
    });
  }

  run(): Promise<void> {
    return this.#subscriptions.run();
  }

  stop(): Promise<void> {
    return this.#subscriptions.stop();
  }

  listen(topic: EphemeralTopic): () => void {
    void this.#subscriptions.hold(topic);
    let listening = true;
    return () => {
      if (listening) this.#subscriptions.release(topic);
      listening = false;
    };
  }
}
