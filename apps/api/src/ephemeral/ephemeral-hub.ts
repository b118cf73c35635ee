import {
  type ChannelViews,
  type EphemeralBroker,
  type EphemeralEvents,
  type Presences,
  parsePresenceChanges,
} from '@parley/domain';
import { type Clock, type Log, Loop, type Metrics, type Service } from '@parley/runtime';
import type { Hub } from '../hub/hub.ts';
import type { Listener } from '../hub/wake-up.ts';
import { EphemeralChannel, type EphemeralChannelDeps, type EphemeralNotice } from './ephemeral-channel.ts';
import { PresenceWatch } from './presence-watch.ts';

export interface EphemeralHubDeps {
  readonly hub: Pick<Hub, 'attach' | 'detach'>;
  readonly views: Pick<ChannelViews, 'members'>;
  readonly presences: Presences;
  /** Members up to which a channel is told who comes and goes. */
  readonly membersMax: number;
  readonly typingTtlMs: number;
  readonly presenceTtlMs: number;
  readonly clock: Clock;
  readonly logger: Log;
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>;
}

/** What is told beside the log of a channel, for a feed that listens to it. */
export type EphemeralSource = Pick<EphemeralChannel, 'board' | 'detach'>;

/** Who types and who is here, for the feeds of one thread: each open channel once, whatever the number of feeds on it. */
export interface EphemeralHub extends Service, EphemeralEvents {
  /** Before it runs. */
  connect(broker: EphemeralBroker): void;
  /** For a channel whose hub the caller is attached to. Never fails; while a store is away less is told. */
  attach(channelId: string, listener: Listener): Promise<EphemeralSource>;
  readonly size: { readonly channels: number; readonly users: number; readonly typists: number };
}

/** Changes of presence are gathered for so long. */
const PUSH_EVERY_MS = 1_000;

export function createEphemeralHub(deps: EphemeralHubDeps): EphemeralHub {
  return new ThreadEphemeralHub(deps);
}

interface OpenChannel {
  readonly channel: EphemeralChannel;
  readonly ready: Promise<void>;
  readonly unlisten: () => void;
}

class ThreadEphemeralHub implements EphemeralHub {
  readonly name = 'ephemeral hub';
  readonly #deps: EphemeralHubDeps;
  readonly #channelDeps: EphemeralChannelDeps;
  readonly #watch: PresenceWatch;
  readonly #channels = new Map<string, OpenChannel>();
  readonly #round: Loop;
  #broker: EphemeralBroker | null = null;
  #unlisten: (() => void) | null = null;

  constructor(deps: EphemeralHubDeps) {
    const { presences, clock, views, membersMax: most, logger, metrics } = deps;
    this.#deps = deps;
    this.#watch = new PresenceWatch({ presences, clock, askEveryMs: deps.presenceTtlMs });
    const pinned = metrics.counter('ephemeral_events_total', 'Events that are told beside the log, once a thread', [
      'type',
    ]);
    metrics.gauge('ephemeral_channels', 'Channels of which a thread tells who types', {
      collect: (gauge) => gauge.set(this.#channels.size),
    });
    metrics.gauge('ephemeral_users', 'Users whose presence a thread watches', {
      collect: (gauge) => gauge.set(this.#watch.size),
    });
    this.#channelDeps = {
      hub: deps.hub,
      members: { read: (channelId) => views.members(channelId, most), most, logger },
      watch: this.#watch,
      typingTtlMs: deps.typingTtlMs,
      clock,
      count: (type: EphemeralNotice['event']['type']) => pinned.inc({ type }),
      onLeft: (channel) => this.#close(channel),
    };
    this.#round = new Loop({
      name: 'presence push',
      everyMs: PUSH_EVERY_MS,
      work: () => this.#look(),
      log: logger,
      clock,
    });
  }

  get size() {
    let typists = 0;
    for (const { channel } of this.#channels.values()) typists += channel.typists;
    return { channels: this.#channels.size, users: this.#watch.size, typists };
  }

  connect(broker: EphemeralBroker): void {
    this.#broker = broker;
  }

  run(): void {
    // All of it, from the start: what changes between a client's question and the first look at a channel must be heard.
    this.#unlisten ??= this.#broker?.listen('presence') ?? null;
    this.#round.run();
  }

  async stop(): Promise<void> {
    await this.#round.stop();
    this.#unlisten?.();
    this.#unlisten = null;
  }

  presence(json: string): void {
    this.#read(() => this.#watch.hear(parsePresenceChanges(json)));
  }

  typing(channelId: string, json: string): void {
    this.#read(() => this.#channels.get(channelId)?.channel.heard(json));
  }

  suspect(): void {
    this.#watch.suspect();
  }

  async attach(channelId: string, listener: Listener): Promise<EphemeralSource> {
    const { channel, ready } = this.#channels.get(channelId) ?? this.#open(channelId);
    channel.attach(listener);
    await ready;
    return channel;
  }

  #open(channelId: string): OpenChannel {
    const channel = new EphemeralChannel(this.#channelDeps, channelId);
    const unlisten = this.#broker?.listen({ typingIn: channelId }) ?? (() => undefined);
    const ready = channel.open().catch((error: unknown) => {
      this.#deps.logger.warn({ err: error, channelId }, 'nothing is told beside the log of a channel');
    });
    const opened = { channel, ready, unlisten };
    this.#channels.set(channelId, opened);
    return opened;
  }

  #close(channel: EphemeralChannel): void {
    const opened = this.#channels.get(channel.channelId);
    this.#channels.delete(channel.channelId);
    channel.close();
    opened?.unlisten();
  }

  async #look(): Promise<void> {
    await Promise.all([...this.#channels.values()].map(({ channel }) => channel.settle()));
    await this.#watch.look();
  }

  #read(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'a publication of the cache store cannot be read');
    }
  }
}
