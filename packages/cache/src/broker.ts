import { randomUUID } from 'node:crypto';
import { type Broker, type BrokerEvents, Failure, type Topic } from '@parley/domain';
import { type Clock, type Log, Loop, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { type Keys, windowKey } from './keys.ts';
import type { LogStore } from './log-store.ts';

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
  /** How often the broker publishes to itself. Twice as long without hearing it, and the connection is replaced. */
  readonly echoEveryMs?: number;
}

const PATIENCE_MS = 3_000;
const ECHO_EVERY_MS = 5_000;
/** Topics that one command names: a call of some 120,000 arguments overflows the stack, on every reconnect again. */
const TOPICS_MAX = 10_000;

interface Subscription {
  readonly topic: Topic;
  count: number;
  readonly confirmed: Promise<void>;
  readonly confirm: () => void;
}

/** Publications of the log store. One connection; `SUBSCRIBE` and `UNSUBSCRIBE` once per turn of the event loop, however many topics. */
export class RedisBroker implements Broker, Service {
  readonly name = 'broker';
  readonly #store: LogStore;
  readonly #subscriber: Redis;
  readonly #keys: Keys;
  readonly #events: BrokerEvents;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #echoEveryMs: number;
  readonly #echo: Loop;
  readonly #self: string;
  readonly #wanted = new Map<string, Subscription>();
  /** What the server was asked for on the present connection. */
  readonly #asked = new Set<string>();
  /** What changed since the last flush; the next one is planned while it is not empty. */
  readonly #touched = new Set<string>();
  #heardAt = 0;
  #ready = false;
  #lost = false;

  constructor(options: RedisBrokerOptions) {
    this.#store = options.store;
    this.#subscriber = options.subscriber;
    this.#keys = options.keys;
    this.#events = options.events;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#echoEveryMs = options.echoEveryMs ?? ECHO_EVERY_MS;
    this.#self = options.keys.node(randomUUID());
    this.#echo = new Loop({
      name: 'broker echo',
      everyMs: this.#echoEveryMs,
      work: () => this.#listenToSelf(),
      log: options.log,
      clock: this.#clock,
    });
  }

  async run(): Promise<void> {
    this.#subscriber.on('message', this.#onMessage);
    this.#subscriber.on('ready', this.#onReady);
    this.#subscriber.on('close', this.#onClose);
    if (this.#subscriber.status === 'ready') await this.#subscribeOrComplain();
    this.#echo.run();
  }

  async stop(): Promise<void> {
    await this.#echo.stop();
    this.#subscriber.off('message', this.#onMessage);
    this.#subscriber.off('ready', this.#onReady);
    this.#subscriber.off('close', this.#onClose);
  }

  async subscribe(topic: Topic): Promise<void> {
    const key = this.#keyOf(topic);
    let subscription = this.#wanted.get(key);
    if (subscription) subscription.count++;
    else {
      const { promise: confirmed, resolve: confirm } = Promise.withResolvers<void>();
      subscription = { topic, count: 1, confirmed, confirm };
      this.#wanted.set(key, subscription);
      this.#touch(key);
    }
    const answered = new AbortController();
    const late = this.#clock.sleep(this.#patienceMs, answered.signal).then(
      () => true,
      () => false,
    );
    if (await Promise.race([subscription.confirmed, late])) {
      this.unsubscribe(topic);
      throw new Failure('UNAVAILABLE', 'Live events are not available now.', { retryAfterMs: 1_000 });
    }
    answered.abort();
  }

  unsubscribe(topic: Topic): void {
    const key = this.#keyOf(topic);
    const subscription = this.#wanted.get(key);
    if (!subscription || --subscription.count > 0) return;
    this.#wanted.delete(key);
    this.#touch(key);
  }

  async tellUser(userId: string, json: string): Promise<void> {
    await this.#store.write((redis) => redis.publish(this.#keys.user(userId), json));
  }

  #keyOf(topic: Topic): string {
    if ('everybody' in topic) return this.#keys.everybody;
    if ('userId' in topic) return this.#keys.user(topic.userId);
    return windowKey(this.#keys.stemOf(topic.channelId), topic.channelId);
  }

  #touch(key: string): void {
    if (this.#touched.size === 0) setImmediate(() => this.#flush());
    this.#touched.add(key);
  }

  /** Commands of one connection are answered in order, so what is asked for last holds. */
  #flush(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    // On a connection that is not ready yet everything is subscribed as soon as it is.
    if (!this.#ready) return;
    const more = touched.filter((key) => this.#wanted.has(key));
    const less = touched.filter((key) => !this.#wanted.has(key) && this.#asked.has(key));
    for (const key of less) this.#asked.delete(key);
    for (const keys of chunksOf(less)) {
      this.#subscriber.unsubscribe(...keys).catch((error: unknown) => this.#complain(error));
    }
    if (more.length > 0) this.#ask(more).catch((error: unknown) => this.#complain(error));
  }

  async #ask(keys: readonly string[]): Promise<void> {
    const subscriptions = keys.map((key) => this.#wanted.get(key));
    for (const key of keys) this.#asked.add(key);
    await Promise.all(chunksOf(keys).map((chunk) => this.#subscriber.subscribe(...chunk)));
    for (const subscription of subscriptions) subscription?.confirm();
  }

  /** What was lost with the connection is subscribed again when the next one is ready. */
  #complain(error: unknown): void {
    this.#log.warn({ err: error }, 'subscriptions failed');
    if (this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
  }

  async #subscribeAll(): Promise<void> {
    this.#ready = true;
    this.#heardAt = this.#clock.now();
    this.#asked.clear();
    await this.#ask([this.#self, ...this.#wanted.keys()]);
    if (!this.#lost) return;
    this.#lost = false;
    this.#events.suspect();
  }

  #subscribeOrComplain(): Promise<void> {
    return this.#subscribeAll().catch((error: unknown) => this.#complain(error));
  }

  readonly #onReady = (): void => {
    void this.#subscribeOrComplain();
  };

  readonly #onClose = (): void => {
    if (this.#ready) this.#lost = true;
    this.#ready = false;
  };

  readonly #onMessage = (key: string, text: string): void => {
    if (key === this.#self) {
      this.#heardAt = this.#clock.now();
      return;
    }
    const topic = this.#wanted.get(key)?.topic;
    // A publication may still arrive for a topic that nobody wants any more.
    if (!topic) return;
    if ('channelId' in topic) this.#events.channel(topic.channelId, text);
    else if ('everybody' in topic) this.#events.everybody(text);
    else this.#events.user(topic.userId, text);
  };

  /** A half-open connection looks healthy and carries nothing: only what comes back proves that it lives. */
  async #listenToSelf(): Promise<void> {
    if (this.#ready && this.#clock.now() - this.#heardAt > 2 * this.#echoEveryMs) {
      this.#log.warn('the broker does not hear itself: replacing its connection');
      this.#onClose();
      this.#subscriber.disconnect(true);
      return;
    }
    await this.#store.write((redis) => redis.publish(this.#self, ''));
  }
}

function chunksOf(keys: readonly string[]): string[][] {
  const count = Math.ceil(keys.length / TOPICS_MAX);
  return Array.from({ length: count }, (_, i) => keys.slice(i * TOPICS_MAX, (i + 1) * TOPICS_MAX));
}
