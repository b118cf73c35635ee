import type { MessageLog, Silence } from '@parley/domain';
import { epochKey, headerKey, type Keys } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { readScript } from './script.ts';

interface SilenceOptions {
  readonly store: LogStore;
  readonly keys: Keys;
  readonly log: Pick<MessageLog, 'load'>;
}

const SILENCE = readScript('silence');

/**
 * Silences a member in the channel's header. It is loaded first: a copy that was read before Postgres knew of the silence may be on its
 * way, and would else come after it.
 */
export function createSilence({ store, keys, log }: SilenceOptions): Silence {
  return async ({ channelId, userId, untilMs }) => {
    if (!(await log.load(channelId))) return;
    const stem = keys.stemOf(channelId);
    const call = { keys: [epochKey(stem), headerKey(stem, channelId)], args: [userId, untilMs] };
    // A header that went away in between is loaded by somebody who asks Postgres now.
    await store.eval(SILENCE, call);
  };
}
