import type * as z from 'zod';
import { integer, text } from './setting-values.ts';
import { setting, type Values } from './settings.ts';

// Only at a bound of its histogram can what was fast enough be told from what was not.
const MESSAGE_BOUNDS_MS = [5, 10, 25, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000];
const STATEMENT_BOUNDS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

const percent = () => integer({ min: 1, max: 100 });

function oneOfMs(bounds: readonly number[]): z.ZodType<number> {
  const error = `one of ${bounds.join(', ')}: the bounds of its histogram`;
  return integer().refine((value) => bounds.includes(value), { error });
}

/** From which value on operators are told. Read by whatever renders alerts or judges by the same measure. */
export const alertSettings = {
  ALERT_CPU_THRESHOLD: setting(percent(), 80, 'alert: CPU of a process, percent of what it may use'),
  ALERT_MEMORY_THRESHOLD: setting(percent(), 85, 'alert: memory of a process, percent of what it may use'),
  ALERT_CONNECTIONS: setting(integer({ min: 1 }), 5_000, 'alert: sockets and streams of one api'),
  ALERT_SLOW_QUERY_MS: setting(oneOfMs(STATEMENT_BOUNDS_MS), 1_000, 'alert: statements of Postgres that take longer'),
  ALERT_CACHE_MISS_PERCENT: setting(percent(), 20, 'alert: copies that were asked for and not found'),
  ALERT_POOL_PERCENT: setting(percent(), 90, 'alert: busy connections to Postgres, of those that a pool may have'),
  ALERT_LOG_MEMORY_PERCENT: setting(percent(), 40, 'alert: memory of the log store; at 50 sends are refused'),
  ALERT_BACKLOG_ENTRIES: setting(
    integer({ min: 1 }),
    25_000,
    'alert: entries that wait for Postgres; a partition refuses sends at BACKLOG_MAX_ENTRIES',
  ),
  ALERT_STALL_S: setting(integer({ min: 1 }), 30, 'alert: age of the oldest entry that is not in Postgres'),
  ALERT_JOB_WAIT_S: setting(integer({ min: 1 }), 300, 'alert: how long the oldest job that could run has waited'),
  ALERT_LOOP_PERCENT: setting(percent(), 90, 'alert: time that the event loop of a thread is busy'),
  ALERT_DRAIN_S: setting(integer({ min: 1 }), 120, 'alert: how long a process has been draining'),
  ALERT_ACCEPT_MS: setting(oneOfMs(MESSAGE_BOUNDS_MS), 250, 'objective: 99 % of sends are accepted within this time'),
  ALERT_ACCEPT_TARGET_MS: setting(
    oneOfMs(MESSAGE_BOUNDS_MS),
    50,
    'objective: 95 % of sends are accepted within this time',
  ),
  ALERT_DELIVERY_MS: setting(
    oneOfMs(MESSAGE_BOUNDS_MS),
    500,
    'objective: 99 % of deliveries are made within this time of the accept',
  ),
  ALERT_DELIVERY_TARGET_MS: setting(
    oneOfMs(MESSAGE_BOUNDS_MS),
    100,
    'objective: 95 % of deliveries are made within this time',
  ),
  ALERT_PERSIST_MS: setting(
    integer({ min: 1 }),
    1_000,
    'objective: 99.5 % of the time no entry waits longer for Postgres',
  ),
  ALERT_MIN_EVENTS: setting(
    integer({ min: 0 }),
    50,
    'objectives page nobody for less than so many sends, deliveries or calls an hour',
  ),
  ALERT_RUNBOOK_URL: setting(text(), 'docs/runbook.md', 'where the runbook is, as alerts link to it'),
};

export type AlertSettings = Values<typeof alertSettings>;
