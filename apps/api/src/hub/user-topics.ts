import { type Broker, parseUserHint } from '@parley/domain';
import type { InboxEvent } from '@parley/protocol';

/** What an inbox feed is told. Each call is short and never throws. */
export interface UserListener {
  /** The user's membership of a channel may have changed. */
  look(channelId: string): void;
  /** The user was invited to a channel. */
  invited(channelId: string): void;
  /** Hints may have been lost. */
  suspect(): void;
  announce(event: InboxEvent): void;
  /** What this user wrote is to be told no more. */
  erased(userId: string): void;
  deleted(channelId: string): void;
}

interface Topic {
  /** Mostly one, so that a set for each user would be most of what they take. */
  listeners: readonly UserListener[];
  /** The broker has confirmed the subscription. */
  ready: Promise<void>;
}

/** One promise for all that stand: there are as many as users. */
const STANDS = Promise.resolve();

/** The users whose inbox is open on this thread. */
export class UserTopics {
  readonly #broker: () => Broker;
  readonly #logger: { warn(detail: object, text: string): void };
  readonly #topics = new Map<string, Topic>();

  constructor(broker: () => Broker, logger: { warn(detail: object, text: string): void }) {
    this.#broker = broker;
    this.#logger = logger;
  }

  get listeners(): number {
    let count = 0;
    for (const { listeners } of this.#topics.values()) count += listeners.length;
    return count;
  }

  /** Resolves when the subscription stands. */
  async attach(userId: string, listener: UserListener): Promise<void> {
    const topic = this.#topics.get(userId) ?? this.#open(userId);
    // A spread would make room for seventeen.
    topic.listeners = topic.listeners.concat(listener);
    try {
      await topic.ready;
      topic.ready = STANDS;
    } catch (error) {
      this.detach(userId, listener);
      throw error;
    }
  }

  /** Once, or as often as one likes. */
  detach(userId: string, listener: UserListener): void {
    const topic = this.#topics.get(userId);
    if (!topic?.listeners.includes(listener)) return;
    topic.listeners = topic.listeners.filter((other) => other !== listener);
    if (topic.listeners.length > 0) return;
    this.#topics.delete(userId);
    // A subscription that failed is not held, and one that is under way is first waited for.
    topic.ready.then(
      () => this.#broker().unsubscribe({ userId }),
      () => undefined,
    );
  }

  hint(userId: string, json: string): void {
    const topic = this.#topics.get(userId);
    if (!topic) return;
    try {
      const hint = parseUserHint(json);
      for (const listener of hint ? topic.listeners : []) {
        if (hint?.type === 'channel.invited') listener.invited(hint.channelId);
        else if (hint) listener.look(hint.channelId);
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'a hint cannot be read');
    }
  }

  suspect(): void {
    this.tell((listener) => listener.suspect());
  }

  announce(event: InboxEvent): void {
    this.tell((listener) => listener.announce(event));
  }

  /** Tells every inbox of this thread. */
  tell(say: (listener: UserListener) => void): void {
    for (const { listeners } of this.#topics.values()) for (const listener of listeners) say(listener);
  }

  #open(userId: string): Topic {
    const topic: Topic = { listeners: [], ready: this.#broker().subscribe({ userId }) };
    this.#topics.set(userId, topic);
    return topic;
  }
}
