import { randomUUID } from 'node:crypto';
import { type Broker, type BrokerEvents, Failure, type Topic } from '@parley/domain';
import { type Clock, type Log, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { type Keys, windowKey } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { Subscriptions } from './subscriptions.ts';

interface RedisBrokerOptions {
  readonly store: LogStore;
  /** Of kind `subscriber`, to the same server. */
  readonly subscriber: Redis;
  readonly keys: Keys;
  readonly events: BrokerEvents;
  readonly log: Log;
  readonly clock?: Clock;
  /** How long a subscription may take to be confirmed. */
  readonly patienceMs?: number;
  /** See `Subscriptions`. */
  readonly echoEveryMs?: number;
}

const PATIENCE_MS = 3_000;

/** Publications of the log store. */
export class RedisBroker implements Broker, Service {
  readonly name = 'broker';
  readonly #store: LogStore;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #subscriptions: Subscriptions<Topic>;

  constructor({ store, keys, events, patienceMs, ...options }: RedisBrokerOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = options.clock ?? systemClock;
    this.#patienceMs = patienceMs ?? PATIENCE_MS;
    this.#subscriptions = new Subscriptions({
      ...options,
      name: this.name,
      publish: (key, text) => store.write((redis) => redis.publish(key, text)),
      self: keys.node(randomUUID()),
      keyOf: (topic) => this.#keyOf(topic),
      heard: (topic, text) => {
        if ('channelId' in topic) events.channel(topic.channelId, text);
        else if ('everybody' in topic) events.everybody(text);
        else events.user(topic.userId, text);
      },
      suspect: () => events.suspect(),
    });
  }

  run(): Promise<void> {
    return this.#subscriptions.run();
  }

  stop(): Promise<void> {
    return this.#subscriptions.stop();
  }

  async subscribe(topic: Topic): Promise<void> {
    const confirmed = this.#subscriptions.hold(topic);
    const answered = new AbortController();
    const late = this.#clock.sleep(this.#patienceMs, answered.signal).then(
      () => true,
      () => false,
    );
    if (await Promise.race([confirmed, late])) {
      this.unsubscribe(topic);
      throw new Failure('UNAVAILABLE', 'Live events are not available now.', { retryAfterMs: 1_000 });
    }
    answered.abort();
  }

  unsubscribe(topic: Topic): void {
    this.#subscriptions.release(topic);
  }

  async tellUser(userId: string, json: string): Promise<void> {
    await this.#store.write((redis) => redis.publish(this.#keys.user(userId), json));
  }

  #keyOf(topic: Topic): string {
    if ('everybody' in topic) return this.#keys.everybody;
    if ('userId' in topic) return this.#keys.user(topic.userId);
    return windowKey(this.#keys.stemOf(topic.channelId), topic.channelId);
  }
}
