import type { Answer, Parsed } from '@parley/protocol';
import type { Archive } from './ports/archive.ts';
import type { Clock } from './ports/clock.ts';
import { type ViewDeps, viewChannel } from './view-channel.ts';

export interface BrowseDeps {
  readonly archive: Pick<Archive, 'browse'>;
}

/** Public channels, for anybody: all of them, or those whose name or topic holds the words. */
export function browseChannels({ archive }: BrowseDeps) {
  return (
    _userId: string,
    { query = '', cursor, limit }: Parsed<'channel.browse'>,
  ): Promise<Answer<'channel.browse'>> =>
    archive.browse({ query: query.trim() || null, cursor: cursor ?? null, limit });
}

export interface StatsDeps extends ViewDeps {
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'stats'>;
  readonly clock: Pick<Clock, 'now'>;
}

const DAY_MS = 86_400_000;
const STATS_DAYS = 30;

/** What was said in a channel, for its members: in all, and on each of the last 30 days in UTC, today among them. */
export function channelStats(deps: StatsDeps) {
  const view = viewChannel(deps);
  return async (userId: string, { channelId }: Parsed<'channel.stats'>): Promise<Answer<'channel.stats'>> => {
    await view(channelId, userId);
    const today = Math.floor(deps.clock.now() / DAY_MS);
    return deps.archive.stats(channelId, (today - STATS_DAYS + 1) * DAY_MS);
  };
}
