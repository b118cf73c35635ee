import type { AdminStore } from './ports/admin.ts';
import type { ChannelGraves } from './ports/erasure.ts';
import type { EverybodyHints } from './ports/everybody-hints.ts';

export interface DeleteChannelDeps {
  readonly store: Pick<AdminStore, 'deleteChannel' | 'removeRows'>;
  readonly graves: ChannelGraves;
  readonly hints: EverybodyHints;
}

/**
 * Ends a channel for good. Postgres forgets it first, so that its header can be loaded no more; then the one that is loaded is emptied;
 * then everybody is told. The same call again finishes one that was broken off. False when there never was such a channel.
 */
export function deleteChannel({ store, graves, hints }: DeleteChannelDeps) {
  return async (channelId: string): Promise<boolean> => {
    if (!(await store.deleteChannel(channelId))) return false;
    await graves.bury(channelId);
    await hints.tell({ type: 'channel.deleted', channelId });
    return true;
  };
}

interface RemovalDeps extends DeleteChannelDeps {
  /** Resolves when everything that is in the log by now is in Postgres. */
  readonly drained: (signal: AbortSignal) => Promise<void>;
}

/** Removes what was said in a deleted channel, once the last of it has come out of the log. */
export function removeDeleted(deps: RemovalDeps) {
  const end = deleteChannel(deps);
  return async (channelId: string, signal: AbortSignal): Promise<void> => {
    await end(channelId);
    await deps.drained(signal);
    while (!(await deps.store.removeRows(channelId))) signal.throwIfAborted();
  };
}
