import { openStore } from '@parley/store';
import pg from 'pg';
import { act, FAULT_NAMES } from './actions.ts';
import { silent } from './api-node.ts';
import { LogServer } from './log-servers.ts';
import type { Protection } from './protections.ts';
import type { Schedule } from './schedule.ts';
import { restlessIn, violationsAtRest } from './verdict.ts';
import { type Servers, World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  /** Deeds and faults, before it is left alone. */
  readonly actions: number;
  readonly faults?: readonly string[];
  readonly without?: Protection | null;
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly acked: number;
  readonly steps: number;
  readonly done: Readonly<Record<string, number>>;
  /** Steps whose work or answer was lost. */
  readonly lost: number;
  /** What happened, in order. */
  readonly trail: readonly string[];
}

const FAILURES = 12;
const ACTION_SHARE = 0.12;
/** Longer than any pause of any part: what has not come to rest by then never does. */
const REST_WITHIN_MS = 600_000;
const REST_STEPS_MAX = 60_000;

export async function openServers(databaseUrl: string): Promise<Servers & AsyncDisposable> {
  await using owned = new AsyncDisposableStack();
  const logs = [owned.use(await LogServer.start('X')), owned.use(await LogServer.start('Y'))] as const;
  const store = owned.use(openStore({ DATABASE_URL: databaseUrl }, { name: 'model', log: silent }));
  const sql = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  owned.defer(() => sql.end());
  const kept = owned.move();
  return { logs, store, sql, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** One run: deeds and faults in between each other's steps, then rest, then a look at what is left. */
export async function run(servers: Servers, options: RunOptions): Promise<Outcome> {
  const world = new World(servers, options);
  const { schedule } = world;
  using _ = chanceIs(schedule);
  const faults = new Set(options.faults ?? FAULT_NAMES);
  const done: Record<string, number> = {};
  await world.begin(options.seed);
  await schedule.settle();
  schedule.failures = faults.size > 0 ? FAILURES : 0;
  for (let left = options.actions; left > 0; ) {
    if (schedule.chance() < ACTION_SHARE) {
      left--;
      const name = await act(world, faults);
      done[name] = (done[name] ?? 0) + 1;
      schedule.note(`-- ${name}`);
      await schedule.settle();
    } else await schedule.tick();
    reconnectSomebody(world, 0.05);
  }
  schedule.failures = 0;
  for (const each of world.processes) if (each.logStore.server !== world.master) each.turnTo(world.master);
  const restless = await rest(world);
  const violations = [...restless, ...(await violationsAtRest(world))];
  world.end();
  const acked = world.users.reduce((sum, user) => sum + user.acked.size, 0);
  return {
    seed: options.seed,
    violations,
    acked,
    steps: schedule.steps,
    done,
    lost: schedule.lost,
    trail: schedule.trail,
  };
}

function reconnectSomebody(world: World, likely: number): void {
  for (const user of world.users)
    if (!user.node && world.schedule.chance() < likely) user.connect(world.schedule.pick(world.apis));
}

/** Until everything that was said is settled and everybody is where the log is; what keeps it from that, otherwise. */
async function rest(world: World): Promise<string[]> {
  const { schedule } = world;
  const [until, most] = [schedule.now + REST_WITHIN_MS, schedule.steps + REST_STEPS_MAX];
  let reasons: string[] = ['not looked yet'];
  while (schedule.now < until && schedule.steps < most) {
    reconnectSomebody(world, 1);
    for (const user of world.users) user.scrollBack();
    for (let i = 0; i < 40; i++) await schedule.tick();
    reasons = await restlessIn(world);
    if (reasons.length === 0) return [];
  }
  return reasons.map((reason) => `never at rest: ${reason}`);
}

/** Everything that is left to chance goes by the seed. */
function chanceIs(schedule: Schedule): Disposable {
  const before = Math.random;
  Math.random = schedule.chance;
  return {
    [Symbol.dispose]: () => {
      Math.random = before;
    },
  };
}
