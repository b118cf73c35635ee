import { migrate, openStore } from '@parley/store';
import { testDatabase } from '@parley/testing/vitest';
import pg from 'pg';
import { expect, it } from 'vitest';

// A store that was closed kept its connections until they had been idle for 30 s, and its process with them: MikroORM ends a pool only
// when its own queries have used it, and ours go beside it.
it('a closed store has no connections', async () => {
  await using database = await testDatabase({ template: { name: 'store', build: (url) => migrate(url) } });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const connections = async () =>
    (await client.query("select from pg_stat_activity where application_name = 'closing'")).rowCount;
  const store = openStore({ DATABASE_URL: database.url }, { name: 'closing' });
  await Promise.all([store.check(), store.check()]);
  expect(await connections()).toBeGreaterThan(0);
  await store.stop();
  for (const end = Date.now() + 5_000; (await connections()) !== 0 && Date.now() < end; );
  expect(await connections()).toBe(0);
  await client.end();
});
