import {
  type Clock,
  compareUnread,
  type HeaderRegister,
  type HeaderSource,
  PARTITIONS,
  type StandingHeader,
} from '@parley/domain';
import type { Log, Metrics } from '@parley/runtime';

interface CheckUnreadParts {
  readonly register: Pick<HeaderRegister, 'sample' | 'header' | 'forget'>;
  readonly headers: HeaderSource;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Log;
  readonly perPartition?: number;
}

/** Channels that are looked at in each partition. */
const SAMPLE = 4;

/**
 * The job `check-unread`: holds the unread counts of some channels against a recount, while nothing happens in them. What differs is
 * counted, named and repaired: the header is forgotten, and counted anew when it is loaded.
 */
export function createCheckUnread(parts: CheckUnreadParts) {
  const { register, metrics, perPartition = SAMPLE } = parts;
  const checked = metrics.counter('unread_checked_total', 'Channels whose unread counts were recounted');
  const differences = metrics.counter('unread_differences_total', 'Unread counts that were not what a recount gave');
  return async (_payload: object, signal: AbortSignal): Promise<void> => {
    for (let partition = 0; partition < PARTITIONS && !signal.aborted; partition++) {
      for (const channelId of await register.sample(partition, perPartition)) {
        const found = await check(parts, channelId);
        if (found === null) continue;
        checked.inc();
        differences.inc(found);
      }
    }
  };
}

/** How many differ; null when they cannot be compared now. */
async function check(
  { register, headers, clock, logger }: CheckUnreadParts,
  channelId: string,
): Promise<number | null> {
  const before = await register.header(channelId);
  const counted = before && (await headers.header(channelId));
  const differences = before && counted && compareUnread(before, counted);
  if (!differences || differences.length === 0) return differences && 0;
  if (!isSame(before, await register.header(channelId))) return null;
  logger.warn({ channelId, differences: differences.slice(0, 10) }, 'unread counts differ from a recount');
  await register.forget(channelId, { head: before.headPosition, quietSinceMs: clock.now() });
  return differences.length;
}

/** Nothing has happened between the two looks. */
function isSame(a: StandingHeader, b: StandingHeader | null): boolean {
  if (b?.headPosition !== a.headPosition) return false;
  return [...a.members].every(([userId, { unread }]) => b.members.get(userId)?.unread === unread);
}
