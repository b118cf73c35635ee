import type { PersistedAttachment } from '@parley/domain';
import { type Position, parsePosition } from '@parley/protocol';
import type { ChannelHub, ChannelHubDeps } from './channel-hub.ts';
import type { Latch } from './latch.ts';
import { pause } from './pause.ts';
import { NOBODY } from './view-of.ts';

export interface WatchDeps extends Pick<ChannelHubDeps, 'views' | 'clock' | 'logger'> {
  readonly channel: ChannelHub;
  /** Listens to the channel. */
  readonly latch: Latch;
  /** Ends that. */
  leave(): void;
}

/** See the port. Looks at the header when it is asked and again at the deadline, for the mark itself is only a hint. */
export class PersistedWatch implements PersistedAttachment {
  readonly #deps: WatchDeps;
  readonly #calm: () => void;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#calm = deps.channel.wakeUp.hurry();
  }

  async until(position: Position, withinMs: number): Promise<boolean> {
    const place = parsePosition(position);
    const { marks } = this.#deps.channel.notices;
    const deadline = new AbortController();
    const late = this.#ringAfter(withinMs, deadline);
    try {
      if (marks.says(place) === null) await this.#look();
      while (marks.says(place) === null && !deadline.signal.aborted) await this.#deps.latch.wait();
      if (marks.says(place) === null) await this.#look();
      return marks.says(place) ?? false;
    } finally {
      deadline.abort();
      await late;
    }
  }

  [Symbol.dispose](): void {
    this.#calm();
    this.#deps.leave();
  }

  async #ringAfter(ms: number, deadline: AbortController): Promise<void> {
    await pause(this.#deps.clock, ms, deadline.signal);
    deadline.abort();
    this.#deps.latch.wake();
  }

  async #look(): Promise<void> {
    const { channel, views, logger } = this.#deps;
    const { channelId } = channel;
    try {
      const [view] = await views.views(NOBODY, [channelId]);
      if (view) channel.observe(view);
    } catch (error) {
      logger.warn({ err: error, channelId }, 'a mark cannot be looked up');
    }
  }
}
