import type { ChannelHub, ChannelHubDeps } from './channel-hub.ts';
import { NOBODY } from './view-of.ts';

const BATCH_CHANNELS = 100;
const LOADS_AT_ONCE = 16;

/**
 * Compares what was delivered with what the log store has, for all channels that this thread listens to: one pipeline for a hundred.
 * Loads headers that the current epoch does not have yet, a few at a time.
 */
export async function compareHeads(deps: ChannelHubDeps, channels: readonly ChannelHub[]): Promise<void> {
  for (let i = 0; i < channels.length; i += BATCH_CHANNELS) {
    const cold = await compareBatch(deps, channels.slice(i, i + BATCH_CHANNELS));
    // Where nothing was delivered yet, who opens the channel loads its header himself.
    const based = cold.filter((channel) => channel.tail.tip !== null);
    await loadAll(deps, based);
    // What stays cold after its load is of a channel that is gone, or of an epoch that has just begun: the next round sees.
    await compareBatch(deps, based);
  }
}

/** Gives back those without a header. */
async function compareBatch(deps: ChannelHubDeps, channels: readonly ChannelHub[]): Promise<ChannelHub[]> {
  if (channels.length === 0) return [];
  const tips = channels.map((channel) => channel.tail.tip);
  const views = await deps.views.views(
    NOBODY,
    channels.map((channel) => channel.channelId),
  );
  return channels.filter((channel, i) => {
    const view = views[i];
    if (view) channel.compare(view, tips[i] ?? null);
    return !view;
  });
}

async function loadAll(deps: ChannelHubDeps, channels: readonly ChannelHub[]): Promise<void> {
  const waiting = [...channels];
  const loaders = Array.from({ length: Math.min(LOADS_AT_ONCE, waiting.length) }, async () => {
    for (let channel = waiting.pop(); channel; channel = waiting.pop()) {
      try {
        await deps.log.load(channel.channelId);
      } catch (error) {
        deps.logger.warn({ err: error, channelId: channel.channelId }, 'a header cannot be loaded yet');
      }
    }
  });
  await Promise.all(loaders);
}
