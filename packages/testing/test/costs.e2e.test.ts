import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { gather } from './crowd.ts';
import { keptIn, statementsIn } from './kept.ts';

describe('what a send costs', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      apis: 1,
      workers: 1,
      migrate,
      env: { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000' },
    });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('[PERSIST-3] 1,000 sends, 64 in flight over 10 channels, cost at most 30 SQL statements in all', async () => {
    await using crowd = await gather(cluster, { users: 10, channels: 10, perChannel: 2 });
    const burst = async (total: number) => {
      let left = total;
      await Promise.all(
        Array.from({ length: 64 }, async (_, i) => {
          const channel = crowd.channels[i % 10];
          const user = channel?.members[0];
          while (left-- > 0)
            await user?.send(
              channel?.id ?? '',
              'a line of text that somebody might have typed, about a hundred bytes of it, or so',
            );
        }),
      );
    };
    await burst(200); // headers loaded, statements prepared
    await sleep(1_000);
    const before = (await keptIn(cluster.databaseUrl)).length;
    await statementsIn(cluster.databaseUrl, true);
    const started = performance.now();
    await burst(1_000);
    const perSecond = 1_000 / ((performance.now() - started) / 1_000);
    await sleep(1_000);
    const statements = await statementsIn(cluster.databaseUrl);
    console.log(`1,000 sends at ${Math.round(perSecond)}/s: ${statements} SQL statements`);
    expect((await keptIn(cluster.databaseUrl)).length - before).toBe(1_000);
    expect(statements).toBeLessThanOrEqual(30);
  }, 60_000);
});
