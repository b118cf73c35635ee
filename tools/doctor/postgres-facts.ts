import { migrationNames } from '@parley/store';
import pg from 'pg';
import { clockOffset, type Finding } from './finding.ts';

/** What Postgres says of itself and of what is in it. */
export interface PostgresFacts {
  readonly version: number;
  readonly recovering: boolean;
  readonly readOnly: boolean;
  readonly synchronousCommit: string;
  readonly fsync: boolean;
  readonly connectionsMax: number;
  readonly locale: string;
  readonly hasTrigrams: boolean;
  /** Whether letters beyond ASCII are letters to pg_trgm; null without it. */
  readonly knowsLetters: boolean | null;
  readonly clockOffsetMs: number;
  /** Of this version, and not in the database. Null: there are no tables at all. */
  readonly missing: readonly string[] | null;
  /** In the database, and not of this version. */
  readonly unknown: readonly string[];
  /** By partition; none before the first migration. */
  readonly epochs: readonly number[];
  /** Whether the newest epoch was opened on another Postgres than this. */
  readonly restored: boolean;
  readonly deadLetters: number;
  /** Done on another Postgres, from a copy of which this one was restored. */
  readonly undoneErasures: number;
}

const CONNECT_MS = 3_000;

const SERVER = `
  select current_setting('server_version_num')::int as version, pg_is_in_recovery() as recovering,
    current_setting('transaction_read_only') = 'on' as "readOnly", current_setting('synchronous_commit') as "synchronousCommit",
    current_setting('fsync') = 'on' as fsync, current_setting('max_connections')::int as "connectionsMax",
    (select datctype from pg_database where datname = current_database()) as locale,
    exists (select from pg_extension where extname = 'pg_trgm') as "hasTrigrams",
    to_regclass('migrations') is not null as "hasTables", extract(epoch from clock_timestamp()) * 1000 as now`;

const CONTENTS = `
  select (select json_agg(epoch order by partition) from log_partition) as epochs,
    coalesce((select (p.pg_system, p.pg_timeline) is distinct from (s.system_identifier::text, c.timeline_id::bigint)
      from log_partition p, pg_control_system() s, pg_control_checkpoint() c
      where p.run_id is not null order by p.epoch desc limit 1), false) as restored,
    (select count(*)::int from dead_letter) as "deadLetters"`;

const ERASURES = `
  select count(*)::int as count from erasures e, pg_control_system() s, pg_control_checkpoint() c
  where e.completed_at is not null and (e.pg_system, e.pg_timeline) is distinct from (s.system_identifier::text, c.timeline_id::bigint)`;

/** Asks Postgres, or says why it cannot be asked. */
export async function readPostgres(url: string, schema: string | null): Promise<PostgresFacts | Finding> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'parley-doctor',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: 2 * CONNECT_MS,
    ...(schema !== null && { options: `-c search_path="${schema}",public` }),
  });
  client.on('error', () => undefined); // Whatever is under way fails too, and says so.
  try {
    await client.connect();
    return await factsOf(client);
  } catch (error) {
    return unreachable(error, new URL(url));
  } finally {
    await client.end().catch(() => undefined); // It may never have been open.
  }
}

async function factsOf(client: pg.Client): Promise<PostgresFacts> {
  const rowOf = async <T>(sql: string) => (await client.query(sql)).rows[0] as T;
  const asked = Date.now();
  const { now, hasTables, ...server } = await rowOf<PostgresFacts & { now: string; hasTables: boolean }>(SERVER);
  const clockOffsetMs = clockOffset(Number(now), asked, Date.now());
  const knowsLetters = server.hasTrigrams
    ? (await rowOf<{ yes: boolean }>(`select cardinality(show_trgm('жук')) > 0 as yes`)).yes
    : null;
  const rest = { ...server, clockOffsetMs, knowsLetters };
  const nothing = { unknown: [], epochs: [], restored: false, deadLetters: 0, undoneErasures: 0 };
  if (!hasTables) return { ...rest, ...nothing, missing: null };
  const { rows } = await client.query<{ name: string }>('select name from migrations');
  const applied = new Set(rows.map(({ name }) => name));
  const names = migrationNames();
  const missing = names.filter((name) => !applied.has(name));
  const unknown = [...applied].filter((name) => !names.includes(name));
  // What the tables hold can be asked when they are those of this version.
  if (missing.length > 0) return { ...rest, ...nothing, missing, unknown };
  const contents = await rowOf<Pick<PostgresFacts, 'epochs' | 'restored' | 'deadLetters'>>(CONTENTS);
  const { count: undoneErasures } = await rowOf<{ count: number }>(ERASURES);
  return { ...rest, ...contents, missing, unknown, undoneErasures };
}

const CURES: Readonly<Record<string, readonly [fault: string, cure: string]>> = {
  ECONNREFUSED: ['nobody listens there', 'start Postgres, or correct DATABASE_URL'],
  ENOTFOUND: ['there is no such host', 'correct the host in DATABASE_URL'],
  '28P01': ['it refuses the password', 'correct user and password in DATABASE_URL'],
  '28000': ['it lets this user not in', 'add a line for this user and address to pg_hba.conf'],
  '3D000': ['the database does not exist', "create it: CREATE DATABASE … TEMPLATE template0 LOCALE 'C.UTF-8'"],
  '57P03': ['it is starting or stopping', 'wait, and look in its log'],
  '53300': ['it has no connection left', 'raise max_connections, or lower DB_POOL_MAX or THREADS'],
};

function unreachable(error: unknown, { host, pathname }: URL): Finding {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words = error instanceof Error ? error.message : String(error);
  const [what, cure] = CURES[code] ?? [words, 'see that DATABASE_URL is right, and that nothing between is in the way'];
  return { check: 'postgres', level: 'fault', fault: `Postgres at ${host}${pathname} cannot be used: ${what}`, cure };
}
