import { globSync, readFileSync } from 'node:fs';
import { statement } from '../src/statement.ts';

/** What a release asks of the schema: kept for ever, and held against every later one. */
export interface ReleaseRecord {
  readonly version: string;
  readonly migrations: readonly string[];
  /** Every statement of the release, whole, by its name. */
  readonly statements: Readonly<Record<string, string>>;
  /** `table.column` and its type. */
  readonly columns: Readonly<Record<string, string>>;
  /** `table.constraint`, unique indexes among them: what a row that the release writes must meet. */
  readonly rules: readonly string[];
}

/** A schema as a reader and a writer meet it. */
export interface SchemaShape {
  readonly columns: Readonly<Record<string, { readonly type: string; readonly demanded: boolean }>>;
  readonly rules: readonly string[];
}

/** The statements of this build, as it would run them. */
export function statementsOfThisBuild(): Record<string, string> {
  const sources = globSync('packages/store/src/**/*.ts').map((path) => readFileSync(path, 'utf8'));
  const names = sources.flatMap((source) => [...source.matchAll(/\bstatement\('([\w-]+)'\)/g)].map(([, name]) => name));
  const sorted = [...new Set(names.filter((name) => name !== undefined))].sort();
  return Object.fromEntries(sorted.map((name) => [name, statement(name).text]));
}

type Sql = (text: string) => Promise<Record<string, string>[]>;

/** `demanded`: an insert that does not know the column is refused. */
export async function shapeOf(sql: Sql): Promise<SchemaShape> {
  const columns = await sql(`
    select table_name || '.' || column_name as name, udt_name as type,
      (is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER')::text as demanded
    from information_schema.columns where table_schema = 'public' and table_name !~ '^(pg_stat|migrations)' order by 1`);
  const rules = await sql(`
    select conrelid::regclass || '.' || conname as name from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'u', 'p', 'x') and conrelid <> 0
    union
    select indrelid::regclass || '.' || indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indisunique and c.relnamespace = 'public'::regnamespace
    order by 1`);
  return {
    columns: Object.fromEntries(
      columns.map(({ name = '', type = '', demanded }) => [name, { type, demanded: demanded === 'true' }]),
    ),
    rules: rules.map(({ name = '' }) => name).filter((name) => !name.startsWith('migrations.')),
  };
}

const tableOf = (name: string) => name.split('.')[0] ?? '';

/** What a process of the release would trip over on this schema, apart from its statements. */
export function brokenPromises(release: ReleaseRecord, now: SchemaShape): string[] {
  const tables = new Set(Object.keys(release.columns).map(tableOf));
  const gone = Object.entries(release.columns).flatMap(([name, type]) => {
    const column = now.columns[name];
    if (!column) return [`${name} is gone`];
    return column.type === type ? [] : [`${name} is ${column.type}, was ${type}`];
  });
  const demanded = Object.entries(now.columns)
    .filter(([name, column]) => column.demanded && tables.has(tableOf(name)) && !(name in release.columns))
    .map(([name]) => `${name} is new, not null and without default: the release cannot insert`);
  const rules = now.rules
    .filter((rule) => tables.has(tableOf(rule)) && !release.rules.includes(rule))
    .map((rule) => `${rule} is new: the release may write what it refuses`);
  return [...gone, ...demanded, ...rules];
}
