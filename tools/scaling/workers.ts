import { type Autoscaler, Controller, type Reading } from './hpa.ts';
import { createNoise, type Minute } from './load.ts';

interface Options {
  readonly spec: Autoscaler;
  readonly load: (second: number) => Minute;
  readonly seconds: number;
  /** Entries a second that one worker writes when it does nothing else. */
  readonly capacity: number;
  /** When Postgres is away. */
  readonly outage?: { readonly from: number; readonly to: number };
  /** What the autoscaler is told; by default what the chart's rules make of it. */
  readonly told?: (state: WorkerState) => Readonly<Record<string, Reading>>;
}

/** What Prometheus could know. */
export interface WorkerState {
  readonly workers: number;
  readonly backlog: number;
  readonly capacity: number;
  /** Workers' whole time that goes into writing. */
  readonly busy: number;
  readonly postgresAway: boolean;
}

/** What became of the backlog. */
export interface WorkerRun {
  readonly replicas: readonly number[];
  /** The longest that what waited would have taken, by all workers. */
  readonly worstSecondsToDrain: number;
  readonly backlogAtEnd: number;
}

const TICK = 1;
const LOOK = 15;
const STARTUP = 20;

/** As the recording rules do: files/scaling.yaml. */
export const byTheRules = ({ backlog, capacity, busy, postgresAway }: WorkerState): Record<string, Reading> => ({
  parley_drain_worker_seconds: postgresAway ? null : { kind: 'external', value: backlog / capacity },
  parley_drain_busy_workers: postgresAway ? null : { kind: 'external', value: busy },
});

/** A fluid model: workers share what waits evenly. What the autoscaler sees is the mean of the last two minutes of work, and what waited 30 s ago. */
export function simulateWorkers(options: Options): WorkerRun {
  const { spec, load, seconds, capacity, outage, told = byTheRules } = options;
  const controller = new Controller(spec);
  const noise = createNoise(11);
  const starts: number[] = Array.from({ length: spec.minReplicas }, () => -STARTUP);
  const history: { backlog: number; busy: number }[] = [];
  const replicas: number[] = [];
  let backlog = 0;
  let worst = 0;
  for (let now = 0; now < seconds; now += TICK) {
    const postgresAway = outage !== undefined && now >= outage.from && now < outage.to;
    const ready = starts.filter((start) => start + STARTUP <= now).length;
    backlog += load(now).entries * (1 + 0.2 * noise());
    const written = postgresAway ? 0 : Math.min(backlog, ready * capacity);
    backlog -= written;
    const busy = written / capacity;
    history.push({ backlog, busy });
    if (!postgresAway) worst = Math.max(worst, backlog / (Math.max(1, ready) * capacity));
    if (now % LOOK !== 0) continue;
    const old = history.at(-30) ?? history[0] ?? { backlog: 0, busy: 0 };
    const recent = history.slice(-120);
    const mean = recent.reduce((sum, one) => sum + one.busy, 0) / recent.length;
    const state = { workers: starts.length, backlog: old.backlog, capacity, busy: mean, postgresAway };
    // A worker that waits for Postgres has nothing to compute.
    const cpu: Reading = { kind: 'pods', values: starts.map(() => (mean / Math.max(1, ready)) * 60) };
    const next = controller.decide(now, starts.length, { ...told(state), cpu });
    while (starts.length < next) starts.push(now);
    starts.length = next;
    replicas.push(next);
  }
  return { replicas, worstSecondsToDrain: worst, backlogAtEnd: backlog };
}
