import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../src/database.ts';
import { migrate, migrationNames } from '../src/migrate.ts';
import { directly } from './fixture.ts';
import { brokenPromises, type ReleaseRecord, shapeOf } from './release-record.ts';

const RELEASES: ReleaseRecord[] = globSync('packages/store/test/releases/*.json').map((path) =>
  JSON.parse(readFileSync(path, 'utf8')),
);

/**
 * What was taken away from the schema, and since which release nothing uses it: the release that stopped using it must be out before the
 * one that takes it away, and so two releases lie between. By `table.column`, `table.rule`, or the name of a statement.
 */
const TAKEN_AWAY: Readonly<Record<string, { readonly unusedSince: string }>> = {};

let database: TestDatabase;
let beside: Database;
beforeEach(async () => {
  database = await testDatabase({ template: { name: 'store', build: (url) => migrate(url) } });
  beside = directly(database.url);
});
afterEach(async () => {
  await beside[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const sql = (text: string) => beside.query<Record<string, string>>({ name: '', text });

/** Runs a statement with nothing given, and takes back what it did: `P0001` says that it came to its end. */
const trial = (name: string, text: string) => `do $trial$
  declare given int;
  begin
    execute 'prepare "${name}" as ' || $text$${text}$text$;
    select cardinality(parameter_types) into given from pg_prepared_statements where name = '${name}';
    execute 'execute "${name}"' ||
      case when given = 0 then '' else '(' || array_to_string(array_fill('null'::text, array[given]), ',') || ')' end;
    raise exception 'taken back' using errcode = 'P0001';
  end
$trial$`;

/** What is refused for the values, here for their absence, says nothing about the schema. */
const FOR_ITS_VALUES = /^(22|23)...$|^P0001$/;

/** Statements that cannot be run on this schema, with what it says. */
async function refused(statements: Readonly<Record<string, string>>): Promise<string[]> {
  const said: string[] = [];
  for (const [name, text] of Object.entries(statements)) {
    await sql(trial(name, text)).catch((error: Error & { code?: string }) => {
      if (!FOR_ITS_VALUES.test(error.code ?? '')) said.push(`${name}: ${error.message}`);
    });
  }
  return said;
}

/** Older than the one that stopped using it: such a release is not supported any more. */
const isOver = (release: ReleaseRecord, name: string) => {
  const taken = TAKEN_AWAY[name.split(/[: ]/)[0] ?? ''];
  return taken !== undefined && release.version.localeCompare(taken.unusedSince, 'en', { numeric: true }) < 0;
};

describe('[OPS-40] the schema of this build carries every release before it', () => {
  it('there is a record of a release, and each is named by its version', () => {
    expect(RELEASES.length).toBeGreaterThan(0);
    const names = globSync('packages/store/test/releases/*.json').map((path) => basename(path, '.json'));
    expect(RELEASES.map(({ version }) => version)).toEqual(names);
  });

  it.each(RELEASES)('$version: its statements run', async (release) => {
    expect(Object.keys(release.statements).length).toBeGreaterThan(80);
    const said = await refused(release.statements);
    expect(said.filter((line) => !isOver(release, line))).toEqual([]);
  });

  it.each(RELEASES)('$version: its columns are there, and what it writes is taken', async (release) => {
    const broken = brokenPromises(release, await shapeOf(sql));
    expect(broken.filter((line) => !isOver(release, line))).toEqual([]);
  });

  it.each(RELEASES)('$version: its migrations are among those of this build', ({ migrations }) => {
    expect(migrationNames()).toEqual(expect.arrayContaining([...migrations]));
  });

  it.each<[what: string, change: string, found: RegExp]>([
    ['a column that is dropped', 'alter table users drop column status_text', /users\.status_text is gone/],
    ['a column that is renamed', 'alter table channels rename column topic to subject', /channels\.topic is gone/],
    ['another type', 'alter table messages alter column m type int', /messages\.m is int4, was int8/],
    [
      'a column that old inserts do not know',
      'alter table audit add column city text not null',
      /audit\.city is new, not null/,
    ],
    ['a new check', 'alter table users add constraint short check (length(name) < 9)', /users\.short is new/],
    ['a new unique index', 'create unique index one_name on users (name)', /users\.one_name is new/],
  ])('control: %s is seen', async (_what, change, found) => {
    await sql(change);
    const [release] = RELEASES;
    if (!release) throw new Error('no release');
    expect(brokenPromises(release, await shapeOf(sql)).join('\n')).toMatch(found);
  });

  it('control: a statement over what is gone is seen', async () => {
    await sql('alter table users drop column status_text cascade');
    const said = await refused(RELEASES[0]?.statements ?? {});
    expect(said.join('\n')).toMatch(/column .*status_text/);
  });

  it('a column that may be left out is no breach', async () => {
    await sql(`alter table users add column city text, add column visits int not null default 0`);
    const [release] = RELEASES;
    expect(release && brokenPromises(release, await shapeOf(sql))).toEqual([]);
  });
});
