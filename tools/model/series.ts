import { migrate } from '@parley/store';
import { startPostgres } from '@parley/testing';
import { type Outcome, openServers, run } from '../../packages/testing/test/model/model.ts';
import type { Options } from './options.ts';

interface Told {
  say(line: string): void;
  readonly signal: AbortSignal;
}

/** The data is as short-lived as the run. */
const POSTGRES = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const SAY_EVERY_MS = 10_000;
const VIOLATIONS_SHOWN = 10;

/** Runs seed after seed, up to the first that breaks a promise unless all are asked for. */
export async function runSeries(options: Options, { say, signal }: Told) {
  await using postgres = await startPostgres({ settings: POSTGRES });
  const databaseUrl = await postgres.createDatabase('model');
  await migrate(databaseUrl);
  await using servers = await openServers(databaseUrl);
  const { seed: first, runs, actions, only: faults, without } = options;
  const totals = { runs: 0, acked: 0, steps: 0, done: {} as Record<string, number> };
  const broken: number[] = [];
  for (let saidAt = Date.now(); totals.runs < runs && !signal.aborted; ) {
    const outcome = await run(servers, { seed: first + totals.runs, actions, faults, without });
    count(totals, outcome);
    if (outcome.violations.length > 0) {
      broken.push(outcome.seed);
      tell(outcome, { say, trail: options.trail });
      if (!options.all) break;
    }
    if (Date.now() - saidAt < SAY_EVERY_MS) continue;
    saidAt = Date.now();
    say(`${totals.runs} of ${runs} runs, ${totals.steps} steps, ${totals.acked} acknowledged, ${broken.length} broken`);
  }
  return { ok: broken.length === 0, seed: first, without, ...totals, broken };
}

function tell({ seed, violations, trail }: Outcome, told: { say: Told['say']; trail: boolean }): void {
  if (told.trail) for (const line of trail) told.say(line);
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN)) told.say(`seed ${seed}: ${violation}`);
}

function count(totals: { runs: number; acked: number; steps: number; done: Record<string, number> }, outcome: Outcome) {
  totals.runs++;
  totals.acked += outcome.acked;
  totals.steps += outcome.steps;
  for (const [name, times] of Object.entries(outcome.done)) totals.done[name] = (totals.done[name] ?? 0) + times;
}
