import type { Answer, Parsed } from '@parley/protocol';
import type { Archive } from './ports/archive.ts';
import type { Clock } from './ports/clock.ts';
import { notFound } from './settle-operation.ts';

export interface MuteDeps {
  readonly archive: Pick<Archive, 'mute'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Keeps a channel from calling for the user until a time; null: not any more. It is counted and delivered all the same. */
export function muteChannel(deps: MuteDeps) {
  return async (userId: string, { channelId, until }: Parsed<'channel.mute'>): Promise<Answer<'channel.mute'>> => {
    if (!(await deps.archive.mute(channelId, userId, until))) throw notFound();
    return { muted: until !== null && until > deps.clock.now(), until };
  };
}
