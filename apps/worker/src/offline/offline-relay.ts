import { createThrottle, FAN_CHANNELS_MAX, type Producer, type Throttle } from '@parley/queue';
import type { Log, Service } from '@parley/runtime';

interface OfflineRelayOptions {
  readonly producer: Producer<{ channelIds: string[] }>;
  readonly log: Log;
  readonly everyMs?: number;
}

/** How often one worker asks for members who are away, at most. */
const RELAY_EVERY_MS = 1_000;
/** More channels than these at once are left to the sweep. */
const CHANNELS_MAX = 20_000;

/**
 * Takes note of channels with new messages, and asks for their absent members once a second. The drain pays for it with a set's `add`.
 * What it holds when its process dies, and what the queue did not take, is found by the sweep.
 */
export class OfflineRelay implements Service {
  readonly name = 'offline relay';
  readonly #options: OfflineRelayOptions;
  readonly #throttle: Throttle;
  readonly #channels = new Set<string>();

  constructor(options: OfflineRelayOptions) {
    this.#options = options;
    const { everyMs = RELAY_EVERY_MS } = options;
    this.#throttle = createThrottle({ everyMs, work: () => this.#relay() });
  }

  run(): void {}

  /** Something new was committed in these channels. Never throws, never waits. */
  readonly committed = (channelIds: Iterable<string>): void => {
    if (this.#channels.size >= CHANNELS_MAX) return;
    for (const channelId of channelIds) this.#channels.add(channelId);
    if (this.#channels.size > 0) this.#throttle.ask();
  };

  async stop(): Promise<void> {
    this.#throttle.stop();
    await this.#relay();
  }

  async #relay(): Promise<void> {
    const channelIds = [...this.#channels];
    this.#channels.clear();
    const jobs = [];
    for (let i = 0; i < channelIds.length; i += FAN_CHANNELS_MAX) {
      jobs.push({ payload: { channelIds: channelIds.slice(i, i + FAN_CHANNELS_MAX) } });
    }
    try {
      await this.#options.producer.addMany(jobs);
    } catch (error) {
      this.#options.log.warn({ err: error, channels: channelIds.length }, 'absent members are left to the sweep');
    }
  }
}
