import { expect, test } from 'vitest';
import { query } from '../src/servers/one-query.ts';
import { needs, testDatabase } from '../src/vitest.ts';

test('databases of one template: built once, then apart from each other, and gone when disposed', async () => {
  let builds = 0;
  const template = {
    name: `t${process.pid}`,
    build: async (url: string) => {
      builds++;
      await query(url, 'CREATE TABLE drawer (word text)');
    },
  };
  await using first = await testDatabase({ template });
  const urls = await (async () => {
    await using second = await testDatabase({ template });
    await query(first.url, `INSERT INTO drawer VALUES ('mine')`);
    expect(await query(second.url, 'SELECT * FROM drawer')).toEqual([]);
    return second.url;
  })();
  expect(builds).toBe(1);
  await expect(query(urls, 'SELECT 1')).rejects.toThrow(/does not exist/);
});

test('a missing program is known as missing, a present one by its path', () => {
  const missing = needs('no-such-program-anywhere', '/nowhere/no-such-program');
  expect(missing.missing).toBe(true);
  expect(() => missing.path).toThrow('is not installed');
  expect(needs('node').path).toMatch(/node$/);
});

needs('node').test('a present program runs its tests', () => {
  expect(process.execPath).toMatch(/node$/);
});
