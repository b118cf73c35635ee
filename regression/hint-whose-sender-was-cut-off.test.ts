import { Failure } from '@parley/domain';
import { createLog } from '@parley/runtime';
import { expect, it, vi } from 'vitest';
import { createUserHints } from '../apps/api/src/user-hints.ts';

// A hint was sent once. Where only the sender had lost its connection nobody heard of a new channel until he connected anew.

async function heardOf(failures: number, error: Error): Promise<string[]> {
  const heard: string[] = [];
  let tries = 0;
  const hints = createUserHints({
    broker: {
      tellUser: async (userId, json) => {
        if (tries++ < failures) throw error;
        heard.push(`${userId} ${json}`);
      },
    },
    sets: { changed: async () => undefined },
    log: createLog({ name: 'test', level: 'silent' }),
    clock: { sleep: async () => undefined },
  });
  hints.tell(['bob'], { type: 'channel.added', channelId: 'c' });
  await vi.waitFor(() => expect(tries).toBeGreaterThan(Math.min(failures, 5)));
  return heard;
}

const away = new Failure('UNAVAILABLE', 'away', { retryAfterMs: 1_000 });

it('[FAN-117] a hint that could not be published is published again', async () => {
  expect(await heardOf(3, away)).toEqual(['bob {"type":"channel.added","channelId":"c"}']);
  expect(await heardOf(5, away)).toHaveLength(1);
  // Control: it is not tried for ever.
  expect(await heardOf(6, away)).toEqual([]);
});
