import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import type { PrometheusServer } from '../src/servers/prometheus-server.ts';
import { needs } from '../src/vitest.ts';
import { askRedis, keysLike } from './ask-redis.ts';
import { type Crowd, gather, talk, times } from './crowd.ts';
import { holdTable, runSql } from './held-table.ts';
import { moved, SEEN_MS, targetsOf, watch } from './metric-movers.ts';

/** Entries of one partition that may wait, and how many of them do: more than three quarters, which is where sends are limited, too. */
const BACKLOG_MAX = 20;
const WAITING = 17;
/** A worker that waits for a lock for as long as it is held, so that both are there when it goes. */
const PATIENT = { DB_STATEMENT_TIMEOUT_MS: '600000' };
const POISON = 'nobody may keep this';

const prometheus = needs('prometheus');

prometheus.describe('a Prometheus beside an api and two workers at one lane', () => {
  let cluster: Cluster;
  let server: PrometheusServer;
  let crowd: Crowd;

  beforeAll(async () => {
    const env = { SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000', BACKLOG_MAX_ENTRIES: String(BACKLOG_MAX) };
    cluster = await startCluster({ apis: 1, workers: 0, migrate, env });
    await Promise.all([cluster.startWorker(PATIENT), cluster.startWorker(PATIENT)]);
    server = await watch(cluster, { program: prometheus.path });
    crowd = await gather(cluster, { users: 2, channels: 1, perChannel: 2 });
  }, 180_000);
  afterAll(async () => {
    await crowd?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  const channelOf = () => crowd.channels[0]?.id ?? '';
  const kept = async () =>
    Number((await runSql<{ count: string }>(cluster.databaseUrl, 'select count(*) from messages'))[0]?.count);
  /** Says something, and waits until Postgres has everything that was said. */
  async function isDrained(): Promise<void> {
    const before = await kept();
    await talk(crowd, times(1));
    await expect.poll(kept, { timeout: SEEN_MS }).toBeGreaterThan(before);
  }
  /** What the keys of the channel's partition begin with. */
  async function stem(): Promise<string> {
    const [window = ''] = await keysLike(cluster.log, `*:win:${channelOf()}`);
    return window.slice(0, window.indexOf('win:'));
  }

  prometheus.test(
    '[MET-41] what waits for Postgres is seen in the limits, in takeovers, and where two workers meet or one dies',
    async () => {
      await isDrained();
      const before = await kept();
      const held = await holdTable(cluster.databaseUrl, 'messages', 'writes');
      try {
        await talk(crowd, times(WAITING));
        await moved(server, 'a lock on messages, and a backlog that fills up');
        // Both want to write what they have read first.
        await held.waiting(2);
        // Reads go on: a worker can commit, and cannot settle.
        await askRedis(cluster.log, 'CLIENT', 'PAUSE', '600000', 'WRITE');
      } finally {
        await held[Symbol.asyncDispose]();
      }
      try {
        await expect.poll(kept, { timeout: SEEN_MS }).toBeGreaterThan(before);
        await moved(server, 'two workers at one lane');
        // Both: what a living one has in hand would be settled in time.
        for (const worker of cluster.workers.splice(0)) await worker.kill();
      } finally {
        await askRedis(cluster.log, 'CLIENT', 'UNPAUSE');
      }
      await cluster.startWorker();
      await server.retarget(targetsOf(cluster));
      await moved(server, 'a worker that dies between commit and settlement');
    },
    180_000,
  );

  prometheus.test(
    '[MET-41] what cannot be persisted, read or found in the log is counted',
    async () => {
      await askRedis(cluster.cache, 'CONFIG', 'SET', 'maxmemory', '300mb');
      await runSql(cluster.databaseUrl, `alter table messages add constraint refused check (body <> '${POISON}')`);
      await crowd.users[0]?.send(channelOf(), POISON);
      await moved(server, 'a message that Postgres refuses');
      await isDrained();

      const log = `${await stem()}log`;
      const epoch = (await askRedis(cluster.log, 'GET', `${await stem()}epoch`)).split('\r\n')[1];
      const later = `2 c ${epoch}-1000 1000 ${Date.now()} {"id":"${randomUUID()}"}`;
      const [, id = ''] = (await askRedis(cluster.log, 'XADD', log, `${epoch}-*`, 'l', later)).split('\r\n');
      await moved(server, 'an entry of a later version');
      // What comes behind it does not follow what was before.
      await askRedis(cluster.log, 'XDEL', log, id);
      await talk(crowd, times(1));
      await moved(server, 'an entry that is gone from the log');
      await isDrained();
      await moved(server, 'a limit of memory that is set anew');
    },
    180_000,
  );

  prometheus.test(
    '[MET-41] a log that has lost what was delivered is seen by whoever is there',
    async () => {
      await isDrained();
      for (const worker of cluster.workers.splice(0)) await worker.kill();
      // Delivered, and nowhere but in the log.
      await talk(crowd, times(3));
      await cluster.log.kill();
      const held = await holdTable(cluster.databaseUrl, 'channels', 'all');
      try {
        for (const name of await readdir(cluster.log.dir)) await rm(join(cluster.log.dir, name), { recursive: true });
        await cluster.log.restart();
        await moved(server, 'a log that has lost everything, and a Postgres that does not say what was there');
      } finally {
        await held[Symbol.asyncDispose]();
      }
      await moved(server, 'a log that has lost what it had accepted');
    },
    180_000,
  );
});
