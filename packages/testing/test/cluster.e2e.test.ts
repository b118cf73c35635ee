import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { countViolations, violationsOf } from '../src/history.ts';
import { gather, settled, talk, times } from './crowd.ts';
import { keptIn } from './kept.ts';
import { verify } from './verify.ts';

const SENDS = 5_000;

describe('two apis and two workers, the stock client', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      apis: 2,
      workers: 2,
      migrate,
      // 5,000 sends by 20 users in seconds are more than a person types.
      env: { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000' },
    });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('[FAN-1] every feed has every message once, in position order, whatever node it is on and however often it is cut', async () => {
    await using crowd = await gather(cluster, { users: 20, channels: 10, perChannel: 8 });
    let cuts = 0;
    const cutting = setInterval(() => {
      crowd.users[Math.floor(Math.random() * crowd.users.length)]?.cut();
      cuts++;
    }, 100);
    await talk(crowd, times(SENDS));
    clearInterval(cutting);
    await settled(crowd, 30_000);

    const acked = crowd.users.flatMap((user) => user.acked);
    const observed = crowd.users.flatMap((user) => user.watches);
    expect(cuts).toBeGreaterThan(5);
    expect(acked.length).toBe(SENDS);
    const report = await verify(cluster.env);
    expect(report).toMatchObject({ code: 0, report: { ok: true, lost: 0, duplicate: 0, reused: 0, persisted: SENDS } });
    expect(countViolations(violationsOf({ acked, observed, kept: await keptIn(cluster.databaseUrl) }))).toEqual({});
    expect(observed.flatMap((watch) => watch.resyncs)).toEqual([]);
  }, 180_000);
});
