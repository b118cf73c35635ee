import { setTimeout as sleep } from 'node:timers/promises';
import { comparePositions } from '@parley/protocol';
import type { Acked, Kept } from '../../packages/testing/src/history.ts';
import { keptIn } from '../../packages/testing/test/kept.ts';
import type { StockUser } from '../../packages/testing/test/stock-user.ts';

/** A worker that met an outage may pause for 10 s before it looks again. */
const DRAINED_MS = 30_000;
const QUIET_MS = 1_000;
/** Cursors and counts are right within 5 s. */
const RIGHT_MS = 5_000;

/** The messages of these channels, once everything acknowledged is there, or time is over, and no more arrive. */
export async function keptAtRest(
  databaseUrl: string,
  channels: ReadonlySet<string>,
  acked: readonly Acked[],
): Promise<Kept[]> {
  const deadline = Date.now() + DRAINED_MS;
  for (let before = -1; ; ) {
    const kept = (await keptIn(databaseUrl)).filter((row) => channels.has(row.channelId));
    const has = new Set(kept.map((row) => row.messageId));
    const isWhole = acked.every(({ messageId }) => has.has(messageId));
    if (kept.length === before && (isWhole || Date.now() > deadline)) return kept;
    before = kept.length;
    await sleep(QUIET_MS);
  }
}

/** How many unread counts are not what Postgres says, once they had time to become so. Nobody has read but what he wrote himself. */
export async function wrongUnread(users: readonly StockUser[], kept: readonly Kept[]): Promise<number> {
  const inChannel = Map.groupBy(kept, (row) => row.channelId);
  const looks = users.flatMap((user) => user.watches.map(({ channelId }) => ({ user, channelId })));
  for (const deadline = Date.now() + RIGHT_MS; ; await sleep(200)) {
    const wrong = await Promise.all(
      looks.map(async ({ user, channelId }) => {
        // Where a store has just come back one call finds that out, and the others are asked to come again.
        const summary = await user.client.channel.get.query({ channelId }).catch(() => null);
        return summary?.unread !== unreadOf(user.userId, inChannel.get(channelId) ?? []);
      }),
    );
    const count = wrong.filter(Boolean).length;
    if (count === 0 || Date.now() > deadline) return count;
  }
}

function unreadOf(userId: string, kept: readonly Kept[]): number {
  const inOrder = [...kept].sort((a, b) => comparePositions(a.position, b.position));
  return inOrder.slice(inOrder.findLastIndex((row) => row.senderId === userId) + 1).length;
}
