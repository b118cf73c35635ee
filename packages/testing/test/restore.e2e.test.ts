import { execFile } from 'node:child_process';
import { parsePosition } from '@parley/protocol';
import { migrate } from '@parley/store';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { freePort } from '../src/servers/free-port.ts';
import { keptIn } from './kept.ts';
import { copyOf } from './postgres-copy.ts';
import { until } from './sdk-user.ts';
import { StockUser, signIn } from './stock-user.ts';
import { verify } from './verify.ts';

/** What an operator runs. */
function run(cluster: Cluster, entry: string, ...words: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const line = ['--conditions=@parley/source', entry, ...words];
    const options = { env: { PATH: process.env.PATH ?? '', ...cluster.env } };
    const child = execFile(process.execPath, line, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

async function nameIn(cluster: Cluster, userId: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  try {
    return (await client.query<{ name: string }>('select name from users where id = $1', [userId])).rows[0]?.name;
  } finally {
    await client.end();
  }
}

async function sendMany(user: StockUser, channelId: string, texts: readonly string[]) {
  for (const text of texts) await user.send(channelId, text);
}

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);

/** As docs/restore.md says, and as nobody should. */
const SET_BACK = [
  { how: 'recovered', apis: 'stopped' },
  { how: 'as it lies there', apis: 'running' },
] as const;

describe('an old copy of Postgres under a log store that lives', () => {
  it.each(SET_BACK)(
    '[OPS-30] $how, apis $apis: epochs rise, who saw more is told to begin anew, what the log still has is saved, erasures are done again',
    async ({ how, apis }) => {
      await using cluster = await startCluster({ apis: 1, workers: 1, migrate, env: { DRAIN_WINDOW_MS: '500' } });
      const api = cluster.apis[0]?.url ?? '';
      let bobsWay = api;
      await using ann = new StockUser('ann', await signIn(api, 'ann'), () => api);
      await using bob = new StockUser('bob', await signIn(api, 'bob'), () => bobsWay);
      const cem = await signIn(api, 'cem');
      const { id } = await ann.client.channel.create.mutate({ kind: 'group', name: 'x', memberIds: [bob.userId] });
      await Promise.all([ann.watch(id), bob.watch(id)]);
      const kept = async () => (await keptIn(cluster.databaseUrl)).length;

      await sendMany(ann, id, numbered(1, 10));
      await until(async () => (await kept()) === 10);
      await using copy = await copyOf(cluster.postgres);
      await sendMany(ann, id, numbered(11, 20));
      await until(async () => (await kept()) === 20, 30_000);
      expect(await run(cluster, 'apps/api/src/erasures.ts', cem.userId)).toMatchObject({ code: 0 });
      expect(await nameIn(cluster, cem.userId)).not.toBe('cem');
      await cluster.workers[0]?.stop();
      await sendMany(ann, id, numbered(21, 25));
      await until(() => bob.watches[0]?.seen.length === 25);
      bobsWay = `http://127.0.0.1:${await freePort()}`;
      bob.cut();

      if (apis === 'stopped') await cluster.apis[0]?.stop();
      await copy.restore(how);
      expect(await kept()).toBe(10);
      expect(await nameIn(cluster, cem.userId)).toBe('cem');
      await cluster.startWorker();
      // 11 to 20 had left the log: they are lost. 21 to 25 had not.
      await until(async () => (await kept()) === 15, 30_000);
      const before = ann.acked.at(-1)?.position ?? '0-0';
      if (apis === 'stopped') await cluster.startApi(cluster.apis[0]?.port);
      // Apis that ran on learn of it by the next message; those that started know, and tell who comes back at once.
      else await ann.send(id, 'after it');
      bobsWay = api;
      await until(() => [ann, bob].every(({ watches }) => watches[0]?.resyncs.length), 60_000);
      const { position } = await ann.send(id, 'after both know');
      expect(parsePosition(position).epoch).toBeGreaterThan(parsePosition(before).epoch);
      for (const { watches } of [ann, bob]) {
        await until(() => watches[0]?.seen.at(-1)?.position === position, 30_000);
        // What came before the `resync` is in the page that it asks for, or was told.
        expect([26, 27]).toContain(watches[0]?.seen.length);
      }
      const { items } = await bob.client.message.page.query({ channelId: id, limit: 100 });
      expect(items.map(({ body }) => body)).toEqual([
        ...numbered(1, 10),
        ...numbered(21, 25),
        ...(apis === 'stopped' ? [] : ['after it']),
        'after both know',
      ]);
      const { report } = await verify(cluster.env);
      // 11 to 20: answered within the hour, and known to be lost.
      expect(report).toMatchObject({ lost: 10, gaps: 0, lostByRestore: 10, duplicate: 0, reused: 0 });
      console.log(`${how}: ${JSON.stringify([ann, bob].map(({ watches }) => watches[0]?.resyncs))}`);

      expect(await run(cluster, 'apps/api/src/erasures.ts')).toMatchObject({ code: 0 });
      expect(await nameIn(cluster, cem.userId)).not.toBe('cem');
    },
    180_000,
  );
});
