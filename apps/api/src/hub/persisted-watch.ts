import type { PersistedAttachment } from '@parley/domain';
import { type Position, parsePosition } from '@parley/protocol';
import type { Attachment } from './attachment.ts';
import type { ChannelHubDeps } from './channel-hub.ts';
import type { Latch } from './latch.ts';
import { pause } from './pause.ts';
import { NOBODY } from './view-of.ts';

export type WatchDeps = Pick<ChannelHubDeps, 'views' | 'clock' | 'logger'>;

/** See the port. Looks at the header when it is asked and again at the deadline, for the mark itself is only a hint. */
export class PersistedWatch implements PersistedAttachment {
  readonly #deps: WatchDeps;
  readonly #attachment: Attachment;
  readonly #latch: Latch;
  readonly #calm: () => void;

  constructor(deps: WatchDeps, attachment: Attachment, latch: Latch) {
    this.#deps = deps;
    this.#attachment = attachment;
    this.#latch = latch;
    this.#calm = attachment.channel.wakeUp.hurry();
  }

  async until(position: Position, withinMs: number): Promise<boolean> {
    const place = parsePosition(position);
    const { marks } = this.#attachment.channel.notices;
    const deadline = new AbortController();
    const late = this.#ringAfter(withinMs, deadline);
    try {
      if (marks.says(place) === null) await this.#look();
      while (marks.says(place) === null && !deadline.signal.aborted) await this.#latch.wait();
      if (marks.says(place) === null) await this.#look();
      return marks.says(place) ?? false;
    } finally {
      deadline.abort();
      await late;
    }
  }

  [Symbol.dispose](): void {
    this.#calm();
    this.#attachment.release();
  }

  async #ringAfter(ms: number, deadline: AbortController): Promise<void> {
    await pause(this.#deps.clock, ms, deadline.signal);
    deadline.abort();
    this.#latch.ring();
  }

  async #look(): Promise<void> {
    const { channel } = this.#attachment;
    try {
      const [view] = await this.#deps.views.views(NOBODY, [channel.channelId]);
      if (view) channel.observe(view);
    } catch (error) {
      this.#deps.logger.warn({ err: error, channelId: channel.channelId }, 'a mark cannot be looked up');
    }
  }
}
