import { integer, setting, text, url, type Values } from '@parley/runtime';

export const POOL_MAX_DEFAULT = 10;
export const STATEMENT_TIMEOUT_MS_DEFAULT = 5_000;
export const SLOW_STATEMENT_MS_DEFAULT = 1_000;

/** What a process must know to use Postgres. */
export const storeSettings = {
  DATABASE_URL: setting(url(['postgres', 'postgresql']), undefined, 'Postgres, where everything ends up', {
    secret: true,
  }),
  DATABASE_SCHEMA: setting(
    text().nullable(),
    null,
    "the schema of this deployment's tables; without it, the user's own",
  ),
  DB_POOL_MAX: setting(
    integer({ min: 4, max: 50 }),
    POOL_MAX_DEFAULT,
    'connections to Postgres that one thread may open',
  ),
  DB_STATEMENT_TIMEOUT_MS: setting(
    integer({ min: 100, max: 600_000 }),
    STATEMENT_TIMEOUT_MS_DEFAULT,
    'a statement that takes longer is given up',
  ),
  DB_SLOW_STATEMENT_MS: setting(
    integer({ min: 1, max: 600_000 }),
    SLOW_STATEMENT_MS_DEFAULT,
    'a statement that takes longer, the wait for a connection included, is named in the log',
  ),
};

/** The values of `storeSettings`; all but the URL may be left to their defaults. */
export type StoreSettings = Pick<Values<typeof storeSettings>, 'DATABASE_URL'> & Partial<Values<typeof storeSettings>>;
