import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CACHES } from '../src/cache-table.ts';

const page = readFileSync('docs/caches.md', 'utf8');

it('[CACHE-14] docs/caches.md says of every cache what the table says', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \| (\d+) s \| (\w+) \| (.*?) \|$/gm)];
  const said = rows.map(([, name, key, ttlS, validity, owner]) => ({ name, key, ttlS: Number(ttlS), validity, owner }));
  const meant = Object.entries(CACHES).map(([name, { key, ttlS, validity, owner }]) => {
    return { name, key, ttlS, validity, owner };
  });
  expect(said).toEqual(meant);
});
