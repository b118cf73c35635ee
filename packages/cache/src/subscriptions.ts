import { type Clock, type Log, Loop, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';

interface SubscriptionsOptions<T> {
  readonly name: string;
  /** Of kind `subscriber`. */
  readonly subscriber: Redis;
  /** Publishes on the same server. */
  publish(key: string, text: string): Promise<unknown>;
  /** The key by which it hears itself. */
  readonly self: string;
  keyOf(topic: T): string;
  heard(topic: T, text: string): void;
  /** Publications may have been lost; everything is subscribed again. */
  suspect(): void;
  readonly log: Log;
  readonly clock?: Clock;
  /** How often it publishes to itself. Twice as long without hearing it, and the connection is replaced. */
  readonly echoEveryMs?: number;
}

const ECHO_EVERY_MS = 5_000;
/** Topics that one command names: a call of some 120,000 arguments overflows the stack, on every reconnect again. */
const TOPICS_MAX = 10_000;

interface Subscription<T> {
  readonly topic: T;
  count: number;
  confirmed: Promise<void>;
  /** Null once it is confirmed: there are as many as users. */
  confirm: (() => void) | null;
}

/** One promise for everything that stands. */
const STANDS = Promise.resolve();

/**
 * What one process wants to hear of a server, by topics: reference counted, and subscribed again whenever the connection was lost. One
 * connection; `SUBSCRIBE` and `UNSUBSCRIBE` once per turn of the event loop, however many topics.
 */
export class Subscriptions<T> implements Service {
  readonly name: string;
  readonly #options: SubscriptionsOptions<T>;
  readonly #subscriber: Redis;
  readonly #clock: Clock;
  readonly #echoEveryMs: number;
  readonly #echo: Loop;
  readonly #wanted = new Map<string, Subscription<T>>();
  /** What the server was asked for on the present connection. */
  readonly #asked = new Set<string>();
  /** What changed since the last flush; the next one is planned while it is not empty. */
  readonly #touched = new Set<string>();
  #heardAt = 0;
  #ready = false;
  #lost = false;

  constructor(options: SubscriptionsOptions<T>) {
    this.name = options.name;
    this.#options = options;
    this.#subscriber = options.subscriber;
    this.#clock = options.clock ?? systemClock;
    this.#echoEveryMs = options.echoEveryMs ?? ECHO_EVERY_MS;
    this.#echo = new Loop({
      name: `${options.name} echo`,
      everyMs: this.#echoEveryMs,
      work: () => this.#listenToSelf(),
      log: options.log,
      clock: this.#clock,
    });
  }

  /** Topics that are wanted now. */
  get size(): number {
    return this.#wanted.size;
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

  /** Holds the topic until it is released. Resolves when the server has confirmed it, which is when it is there. */
  hold(topic: T): Promise<void> {
    const key = this.#options.keyOf(topic);
    let subscription = this.#wanted.get(key);
    if (subscription) subscription.count++;
    else {
      const { promise: confirmed, resolve: confirm } = Promise.withResolvers<void>();
      subscription = { topic, count: 1, confirmed, confirm };
      this.#wanted.set(key, subscription);
      this.#touch(key);
    }
    return subscription.confirmed;
  }

  release(topic: T): void {
    const key = this.#options.keyOf(topic);
    const subscription = this.#wanted.get(key);
    if (!subscription || --subscription.count > 0) return;
    this.#wanted.delete(key);
    this.#touch(key);
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
    for (const subscription of subscriptions) {
      if (!subscription?.confirm) continue;
      subscription.confirm();
      subscription.confirm = null;
      subscription.confirmed = STANDS;
    }
  }

  /** What was lost with the connection is subscribed again when the next one is ready. */
  #complain(error: unknown): void {
    this.#options.log.warn({ err: error, of: this.name }, 'subscriptions failed');
    if (this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
  }

  async #subscribeAll(): Promise<void> {
    this.#ready = true;
    this.#heardAt = this.#clock.now();
    this.#asked.clear();
    await this.#ask([this.#options.self, ...this.#wanted.keys()]);
    if (!this.#lost) return;
    this.#lost = false;
    this.#options.suspect();
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
    if (key === this.#options.self) {
      this.#heardAt = this.#clock.now();
      return;
    }
    // A publication may still arrive for a topic that nobody wants any more.
    const subscription = this.#wanted.get(key);
    if (subscription) this.#options.heard(subscription.topic, text);
  };

  /** A half-open connection looks healthy and carries nothing: only what comes back proves that it lives. */
  async #listenToSelf(): Promise<void> {
    if (this.#ready && this.#clock.now() - this.#heardAt > 2 * this.#echoEveryMs) {
      this.#options.log.warn({ of: this.name }, 'nothing is heard on this connection: it is replaced');
      this.#onClose();
      this.#subscriber.disconnect(true);
      return;
    }
    await this.#options.publish(this.#options.self, '');
  }
}

function chunksOf(keys: readonly string[]): string[][] {
  const count = Math.ceil(keys.length / TOPICS_MAX);
  return Array.from({ length: count }, (_, i) => keys.slice(i * TOPICS_MAX, (i + 1) * TOPICS_MAX));
}
