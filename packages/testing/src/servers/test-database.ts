import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { databaseUrl, query } from './one-query.ts';

/** A database for the time of a test file. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

export interface TestDatabaseOptions {
  /** What the database starts as: `build` fills a template once per server, every further database copies it. */
  readonly template?: { readonly name: string; readonly build: (url: string) => Promise<unknown> };
}

/** Makes a database on the server; disposing it drops it, whoever is still connected. */
export async function createTestDatabase(serverUrl: string, { template }: TestDatabaseOptions): Promise<TestDatabase> {
  const name = `t${randomBytes(6).toString('hex')}`;
  const from = template ? await readyTemplate(serverUrl, template) : 'template0';
  await query(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${pg.escapeIdentifier(from)}`);
  return {
    url: databaseUrl(serverUrl, name),
    [Symbol.asyncDispose]: async () => {
      await query(serverUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    },
  };
}

/** Test files are processes of their own, so the server's lock decides who builds; the name appears only when it is whole. */
async function readyTemplate(
  serverUrl: string,
  template: NonNullable<TestDatabaseOptions['template']>,
): Promise<string> {
  const name = `template_${template.name}`;
  const unfinished = `${name}_unfinished`;
  const lock = new pg.Client({ connectionString: serverUrl });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    const found = await lock.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount) return name;
    await lock.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(unfinished)} WITH (FORCE)`);
    await lock.query(`CREATE DATABASE ${pg.escapeIdentifier(unfinished)} TEMPLATE template0`);
    await template.build(databaseUrl(serverUrl, unfinished));
    await lock.query(`ALTER DATABASE ${pg.escapeIdentifier(unfinished)} RENAME TO ${pg.escapeIdentifier(name)}`);
    return name;
  } finally {
    await lock.end();
  }
}
