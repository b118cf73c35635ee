import type { ChannelHub } from './channel-hub.ts';
import type { Listener } from './wake-up.ts';

/** A listener's hold on a channel of this thread. What is published from now on reaches the channel's tail; `wake` was given to it. */
export interface Attachment {
  readonly channel: ChannelHub;
  /** Once, or as often as one likes. */
  release(): void;
}

/** One hold on a channel. There are as many as feeds, and for an inbox one for each of its channels. */
export class HeldChannel implements Attachment, Listener {
  readonly channel: ChannelHub;
  readonly wake: () => void;
  readonly #onLast: (channel: ChannelHub) => void;

  /** Holds it from here on. `onLast` is called when nobody listens to the channel any more. */
  constructor(channel: ChannelHub, wake: () => void, onLast: (channel: ChannelHub) => void) {
    this.channel = channel;
    this.wake = wake;
    this.#onLast = onLast;
    channel.wakeUp.listeners.add(this);
  }

  release(): void {
    const { listeners } = this.channel.wakeUp;
    if (listeners.delete(this) && listeners.size === 0) this.#onLast(this.channel);
  }
}
