import { COMMAND_BUCKETS, type Metrics } from '@parley/runtime';

/** Hears how long statements took, the wait for a connection included. */
export interface StatementMeasure {
  took(seconds: number, ok: boolean): void;
  /** It took longer than a statement should. */
  slow(statement: string): void;
}

export const UNMEASURED: StatementMeasure = { took: () => undefined, slow: () => undefined };

interface MeasuredPool {
  /** What the pool is for. */
  readonly pool: string;
  readonly max: number;
  use(): { readonly open: number; readonly idle: number; readonly waiting: number };
}

/** Shows how a pool is used, and gives what times its statements. */
export function measurePool(metrics: Metrics, { pool, max, use }: MeasuredPool): StatementMeasure {
  metrics.gauge('postgres_pool_connections', 'Open connections to Postgres, by what they do', {
    labels: ['pool', 'state'],
    collect: (gauge) => {
      const { open, idle } = use();
      gauge.set({ pool, state: 'busy' }, open - idle);
      gauge.set({ pool, state: 'idle' }, idle);
    },
  });
  metrics.gauge('postgres_pool_waiting', 'Statements that wait for a connection to Postgres', {
    labels: ['pool'],
    collect: (gauge) => gauge.set({ pool }, use().waiting),
  });
  metrics.gauge('postgres_pool_max_connections', 'Connections to Postgres that may be open', {
    labels: ['pool'],
    collect: (gauge) => gauge.set({ pool }, max),
  });
  const seconds = metrics.histogram('postgres_statement_seconds', 'A statement, the wait for a connection included', {
    labels: ['pool', 'outcome'],
    buckets: COMMAND_BUCKETS,
  });
  const slow = metrics.counter('postgres_slow_statements_total', 'Statements over DB_SLOW_STATEMENT_MS', ['statement']);
  for (const outcome of ['ok', 'failed']) seconds.zero({ pool, outcome });
  const [ok, failed] = [seconds.labels(pool, 'ok'), seconds.labels(pool, 'failed')];
  return {
    took: (duration, succeeded) => (succeeded ? ok : failed).observe(duration),
    slow: (statement) => slow.inc({ statement }),
  };
}
