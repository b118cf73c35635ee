import type { ChannelHub } from './channel-hub.ts';
import { NOBODY, type ViewDeps } from './view-of.ts';

const BATCH_CHANNELS = 100;

/**
 * Compares what was delivered with what the log store has, for all channels that this thread listens to: one pipeline for a hundred.
 * One that the current epoch has no header of yet finds out by itself, so that it holds up no other.
 */
export async function compareHeads(deps: Pick<ViewDeps, 'views'>, channels: readonly ChannelHub[]): Promise<void> {
  for (let i = 0; i < channels.length; i += BATCH_CHANNELS) {
    const batch = channels.slice(i, i + BATCH_CHANNELS);
    const tips = batch.map((channel) => channel.tail.tip);
    const views = await deps.views.views(
      NOBODY,
      batch.map((channel) => channel.channelId),
    );
    batch.forEach((channel, k) => {
      channel.compare(views[k] ?? null, tips[k] ?? null);
    });
  }
}
