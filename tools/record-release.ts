/**
 * `node --conditions=@parley/source tools/record-release.ts`: writes what the release of package.json's version asks of the schema to
 * packages/store/test/releases/, where every later schema is held against it. Run once a release; a record is never changed after it.
 * It needs `DATABASE_URL` of a migrated database.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { migrationNames } from '@parley/store';
import pg from 'pg';
import { type ReleaseRecord, shapeOf, statementsOfThisBuild } from '../packages/store/test/release-record.ts';

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const shape = await shapeOf(async (text) => (await client.query(text)).rows);
await client.end();
const record: ReleaseRecord = {
  version,
  migrations: migrationNames(),
  statements: statementsOfThisBuild(),
  columns: Object.fromEntries(Object.entries(shape.columns).map(([name, { type }]) => [name, type])),
  rules: shape.rules,
};
const path = `packages/store/test/releases/${version}.json`;
writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
console.log(`wrote ${path}: ${Object.keys(record.statements).length} statements`);
