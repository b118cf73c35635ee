import { migrate, openStore } from '@parley/store';
import { testDatabase } from '@parley/testing/vitest';
import pg from 'pg';
import { expect, it } from 'vitest';

// A rolling update migrates first. Every process that ran meanwhile got "cached plan must not change result type" for whatever it had
// prepared with `select *`: nobody could sign in until it was restarted.
it('a process goes on after a migration has added a column', async () => {
  await using database = await testDatabase({ template: { name: 'store', build: (url) => migrate(url) } });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const store = openStore({ DATABASE_URL: database.url }, { name: 'test' });
  const claims = { avatarUrl: null, email: null, locale: null };
  const id = '20000000-0000-4000-8000-000000000001';
  const meet = (name: string) => store.archive.upsertUser({ id, name, ...claims });
  await meet('Ada');
  for (const column of ['one', 'two']) {
    await client.query(`alter table users add column ${column} text`);
    const met = await Promise.all([meet('Ada'), meet('Ada'), store.archive.users([id])]);
    expect(met.flat().map(({ name }) => name)).toEqual(['Ada', 'Ada', 'Ada']);
  }
  await store.stop();
  await client.end();
});
