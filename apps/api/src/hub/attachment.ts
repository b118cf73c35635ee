import type { ChannelHub } from './channel-hub.ts';

/** A listener's hold on a channel of this thread. What is published from now on reaches the channel's tail; `wake` was given to it. */
export interface Attachment {
  readonly channel: ChannelHub;
  /** Once, or as often as one likes. */
  release(): void;
}
