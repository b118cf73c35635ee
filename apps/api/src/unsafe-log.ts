import { type ChannelViews, Failure, type MessageLog } from '@parley/domain';
import { layer } from './log-layers.ts';

const APPEND_AFTER_MS = 15;

interface Waiting {
  count: number;
  tail: Promise<unknown>;
}

/**
 * A message log that lies: it acknowledges a message at the position it expects, and appends it later. It exists to prove that the tests
 * of "nothing acknowledged is lost" can fail (`UNSAFE_ACK_BEFORE_APPEND`, refused in production).
 */
export function acknowledgeFirst(log: MessageLog, views: Pick<ChannelViews, 'views'>): MessageLog {
  const waiting = new Map<string, Waiting>();
  return layer(log, {
    accept: async (draft) => {
      const { channelId, senderId } = draft;
      const [view] = await views.views(senderId, [channelId]);
      if (!view) return { type: 'missing' };
      if (view.rank === null) return { type: 'stranger' };
      const queue = waiting.get(channelId) ?? { count: 0, tail: Promise.resolve() };
      waiting.set(channelId, queue);
      queue.count++;
      queue.tail = queue.tail
        .then(() => new Promise((resolve) => setTimeout(resolve, APPEND_AFTER_MS)))
        .then(() => log.accept(draft))
        // Lost, as intended.
        .catch((error: unknown) => error instanceof Failure)
        .finally(() => queue.count--);
      const { epoch, head } = view;
      return {
        type: 'accepted',
        place: { epoch, n: head.n + queue.count, m: head.m + queue.count, at: Date.now() },
        first: true,
      };
    },
  });
}
