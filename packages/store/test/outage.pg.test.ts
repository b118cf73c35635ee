import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '@parley/domain';
import type { Log } from '@parley/runtime';
import { freePort, type PostgresServer, startPostgres } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../src/migrate.ts';
import { openStore, type Store } from '../src/store.ts';
import { batchOf, created, directly, openEpoch, place, uuid } from './fixture.ts';

describe('[DEG-51] while Postgres is away', () => {
  let server: PostgresServer;
  let store: Store;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    await migrate(url);
    store = openStore({ DATABASE_URL: url }, { name: 'outage' });
  });
  afterAll(async () => {
    await store.stop();
    await server[Symbol.asyncDispose]();
  });

  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error,
    );

  it('a store can be made; calls fail as UNAVAILABLE, fast, without a word of SQL; and it works when Postgres is back', async () => {
    const port = await freePort();
    await using early = openStore({ DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` }, { name: 'early' });
    const error = await failure(early.check());
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1000 });
    expect(String(error)).not.toMatch(/select|log_partition|127\.0\.0\.1/);

    await store.check();
    await server.kill();
    for (const call of [
      store.check(),
      store.drain.cursors(),
      store.archive.users([]),
      store.ledger.locked(async () => 1),
    ]) {
      expect(await failure(call)).toMatchObject({ code: 'UNAVAILABLE' });
    }
    await server.restart();
    await store.check();
  });

  it('[RUN-58] a slow statement is named in the log, without what it carried; a fast one is not (control)', async () => {
    const said: string[] = [];
    const log = { warn: (message: string) => said.push(message) } as unknown as Log;
    await using slow = openStore({ DATABASE_URL: url, DB_SLOW_STATEMENT_MS: 100 }, { name: 'slow', log });
    await slow.archive.users([uuid('user', 1)]);
    expect(said).toEqual([]);
    await using beside = directly(url);
    const waiting: Promise<unknown>[] = [];
    await beside.during('slow', ['lock table users in access exclusive mode'], async () => {
      waiting.push(slow.archive.users([uuid('user', 1)]));
      await sleep(300);
    });
    await Promise.all(waiting);
    expect(said).toEqual([expect.stringMatching(/^the statement users took \d{3,} ms$/)]);
  });

  it('[DEG-53] a statement that takes longer than DB_STATEMENT_TIMEOUT_MS is given up, as UNAVAILABLE', async () => {
    await using hasty = openStore({ DATABASE_URL: url, DB_STATEMENT_TIMEOUT_MS: 200 }, { name: 'hasty' });
    await hasty.check();
    await using beside = directly(url);
    await beside.during('hasty', ['lock table users in access exclusive mode'], async () => {
      expect(await failure(hasty.archive.users([uuid('user', 1)]))).toMatchObject({ code: 'UNAVAILABLE' });
    });
    expect(await hasty.archive.users([uuid('user', 1)])).toEqual([]);
  });

  it('[PERSIST-59] a Postgres killed under a drain has written the batch whole or not at all', async () => {
    const epoch = await openEpoch(store);
    const channelId = uuid('channel', 1);
    for (let round = 1, n = 0; round <= 5; round++) {
      const rows = Array.from({ length: 500 }, () => created({ channelId, place: place(epoch, ++n) }));
      const batch = await batchOf(store, { created: rows }, { steps: 500 });
      const from = batch.moves[0]?.from;
      const done = store.drain.commit(batch).then(
        () => true,
        () => false,
      );
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await server.kill();
      const said = await done;
      await server.restart();
      const beside = directly(url);
      const [row] = await beside.query<{ count: number; k: number }>({
        name: '',
        text: `select (select count(*) from messages where n > ${n - 500}) as count,
                      (select read_k from log_partition where partition = ${from?.partition}) as k`,
      });
      await beside[Symbol.asyncDispose]();
      const before = from?.readEpoch === epoch ? from.readK : 0;
      if (row?.count === 500) expect(row.k).toBe(before + 500);
      else {
        expect(said).toBe(false);
        expect(row).toEqual({ count: 0, k: from?.readK });
        n -= 500;
      }
    }
  }, 60_000);
});
