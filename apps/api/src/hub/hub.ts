import { type Broker, type BrokerEvents, Failure, type PersistWatch } from '@parley/domain';
import type { InboxEvent } from '@parley/protocol';
import type { Service } from '@parley/runtime';
import { atOnce } from './at-once.ts';
import { BusyWindow } from './busy-window.ts';
import { ChannelHub, type ChannelHubDeps } from './channel-hub.ts';
import { compareHeads } from './compare-heads.ts';
import { type Everybody, hearEverybody } from './hear-everybody.ts';
import type { HubDeps } from './hub-deps.ts';
import { measureHub } from './hub-metrics.ts';
import { Latch } from './latch.ts';
import { pause } from './pause.ts';
import { PersistedWatch } from './persisted-watch.ts';
import { type UserListener, UserTopics } from './user-topics.ts';
import type { Listener } from './wake-up.ts';

/** What is told about the server, to whoever is there. */
type Announcement = Extract<InboxEvent, { type: 'degraded' | 'recovered' | 'drain' | 'announcement' }>;

/** What one thread listens to: each channel once, whatever the number of feeds on it. */
export interface Hub extends Service, BrokerEvents, PersistWatch {
  /** Before the first feed. */
  connect(broker: Broker): void;
  /**
   * Resolves when the subscription stands: everything published from now on is delivered, or found to be missing. The listener is woken
   * from the call on, until it is detached. One that comes twice is one.
   */
  attach(channelId: string, listener: Listener): Promise<ChannelHub>;
  /** Once, or as often as one likes. */
  detach(channelId: string, listener: Listener): void;
  /** The same for what concerns one user. */
  attachUser(userId: string, listener: UserListener): Promise<void>;
  /** Once, or as often as one likes. */
  detachUser(userId: string, listener: UserListener): void;
  /** Tells all inbox feeds of this thread something about the server. */
  announce(event: Announcement): void;
  /** Asks for all heads now. Never rejects: what fails is tried again until it succeeds or the hub stops. */
  compare(): Promise<void>;
  readonly size: { readonly channels: number; readonly listeners: number };
}

const COMPARE_EVERY_MS = 30_000;
const COMPARE_JITTER_MS = 10_000;
const COMPARE_RETRY_MS = 1_000;
/** A new epoch makes all channels load their headers: a few at a time. */
const LOADS_AT_ONCE = 16;

export function createHub(deps: HubDeps): Hub {
  return new ThreadHub(deps);
}

interface OpenChannel {
  readonly hub: ChannelHub;
  /** The broker has confirmed the subscription. */
  readonly ready: Promise<void>;
}

class ThreadHub implements Hub {
  readonly name = 'hub';
  readonly #deps: ChannelHubDeps;
  readonly #channels = new Map<string, OpenChannel>();
  readonly #users: UserTopics;
  readonly #stopping = new AbortController();
  readonly #everybody: Everybody;
  readonly #sessions: HubDeps['sessions'];
  readonly #onErased: HubDeps['onErased'];
  #broker: Broker | null = null;
  #comparing: Promise<void> | null = null;
  #again = false;
  #running: Promise<void> | null = null;

  constructor(deps: HubDeps) {
    const measure = measureHub(deps.metrics, deps.secondsSince);
    deps.metrics.gauge('hub_channels', 'Channels that a thread listens to', {
      collect: (gauge) => gauge.set(this.#channels.size),
    });
    deps.metrics.gauge('hub_listeners', 'Open feeds of channels and inboxes', {
      collect: (gauge) => gauge.set(this.size.listeners),
    });
    const { log } = deps;
    const load = atOnce(LOADS_AT_ONCE, (channelId: string) => log.load(channelId));
    const window = new BusyWindow({ enabled: deps.coalesce ?? true });
    this.#deps = { ...deps, ...measure, window, log: { renew: () => log.renew(), load } };
    this.#users = new UserTopics(() => this.#connected(), deps.logger);
    this.#sessions = deps.sessions;
    this.#onErased = deps.onErased;
    this.#everybody = {
      announce: (event) => this.announce(event),
      standing: (userId) => deps.sessions?.standing(userId),
      erased: (userId) => this.#erased(userId),
      deleted: (channelId) => this.#deleted(channelId),
      logger: deps.logger,
    };
  }

  get size() {
    let listeners = this.#users.listeners;
    for (const { hub } of this.#channels.values()) listeners += hub.wakeUp.listeners.size;
    return { channels: this.#channels.size, listeners };
  }

  connect(broker: Broker): void {
    this.#broker = broker;
  }

  channel(channelId: string, line: string): void {
    this.#channels.get(channelId)?.hub.publication(line);
  }

  user(userId: string, json: string): void {
    this.#users.hint(userId, json);
  }

  everybody(json: string): void {
    hearEverybody(this.#everybody, json);
  }

  suspect(): void {
    this.#sessions?.suspect();
    this.#users.suspect();
    void this.compare();
  }

  announce(event: Announcement): void {
    this.#users.announce(event);
  }

  attachUser(userId: string, listener: UserListener): Promise<void> {
    return this.#users.attach(userId, listener);
  }

  detachUser(userId: string, listener: UserListener): void {
    this.#users.detach(userId, listener);
  }

  async attach(channelId: string, listener: Listener): Promise<ChannelHub> {
    const { hub, ready } = this.#channels.get(channelId) ?? this.#open(channelId);
    hub.wakeUp.listeners.add(listener);
    try {
      await ready;
    } catch (error) {
      this.detach(channelId, listener);
      throw error;
    }
    return hub;
  }

  detach(channelId: string, listener: Listener): void {
    const opened = this.#channels.get(channelId);
    if (!opened) return;
    const { listeners } = opened.hub.wakeUp;
    if (listeners.delete(listener) && listeners.size === 0) this.#close(opened);
  }

  async watch(channelId: string): Promise<PersistedWatch> {
    const latch = new Latch();
    const channel = await this.attach(channelId, latch);
    return new PersistedWatch({ ...this.#deps, channel, latch, leave: () => this.detach(channelId, latch) });
  }

  run(): void {
    this.#running ??= this.#compareOften();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#comparing;
  }

  async compare(): Promise<void> {
    this.#again = true;
    this.#comparing ??= this.#compareUntilDone().finally(() => {
      this.#comparing = null;
      // Asked for after the last look.
      if (this.#again && !this.#stopping.signal.aborted) void this.compare();
    });
    await this.#comparing;
  }

  /** What he wrote is kept here, too: feeds begin anew from the stores, where it is blank. */
  #erased(userId: string): void {
    this.#deps.histories.forget();
    for (const { hub } of this.#channels.values()) {
      hub.inCommon.forget();
      if (!hub.tail.names(userId)) continue;
      hub.tail.forget();
      hub.breakOff('behind', null);
    }
    this.#users.tell((listener) => listener.erased(userId));
    this.#onErased?.(userId);
  }

  /** Feeds look for themselves, and find nothing. */
  #deleted(channelId: string): void {
    this.#channels.get(channelId)?.hub.breakOff('behind', null);
    this.#users.tell((listener) => listener.deleted(channelId));
  }

  #connected(): Broker {
    if (!this.#broker) throw new Failure('UNAVAILABLE', 'not connected yet', { retryAfterMs: 1_000 });
    return this.#broker;
  }

  #open(channelId: string): OpenChannel {
    const broker = this.#connected();
    const ready = broker.subscribe({ channelId });
    const opened = { hub: new ChannelHub(this.#deps, channelId), ready };
    this.#channels.set(channelId, opened);
    return opened;
  }

  #close({ hub, ready }: OpenChannel): void {
    const { channelId } = hub;
    hub.close();
    this.#channels.delete(channelId);
    // A subscription that failed is not held, and one that is under way is first waited for.
    ready.then(
      () => this.#connected().unsubscribe({ channelId }),
      () => undefined,
    );
  }

  async #compareUntilDone(): Promise<void> {
    while (this.#again && !this.#stopping.signal.aborted) {
      this.#again = false;
      try {
        await compareHeads(
          this.#deps,
          [...this.#channels.values()].map(({ hub }) => hub),
        );
      } catch (error) {
        this.#deps.logger.warn({ err: error }, 'heads cannot be compared yet');
        this.#again = true;
        await pause(this.#deps.clock, COMPARE_RETRY_MS * (0.5 + Math.random()), this.#stopping.signal);
      }
    }
  }

  async #compareOften(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await pause(this.#deps.clock, COMPARE_EVERY_MS + Math.random() * COMPARE_JITTER_MS, this.#stopping.signal);
      await this.compare();
    }
  }
}
