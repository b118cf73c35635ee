import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../src/vitest.ts';
import { FAULT_NAMES } from './model/actions.ts';
import { type Outcome, openServers, type RunOptions, run } from './model/model.ts';
import type { Protection } from './model/protections.ts';

// The message path under a schedule; `npm run model` makes as many runs as one likes.

let database: TestDatabase;
let servers: Awaited<ReturnType<typeof openServers>>;
beforeAll(async () => {
  database = await testDatabase({ template: { name: 'store', build: (at) => migrate(at) } });
  servers = await openServers(database.url);
});
afterAll(async () => {
  await servers[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const RUNS = 50;
const ACTIONS = 80;
/** A run without one of these protections breaks a promise within so many seeds. */
const FOUND_WITHIN = 80;

function once(seed: number, options: Partial<RunOptions> = {}): Promise<Outcome> {
  return run(servers, { seed, actions: ACTIONS, ...options });
}

describe('the message path, each step and each fault placed by a seed', () => {
  it('[MODEL-3] [MODEL-5] nothing acknowledged is lost, and everybody comes to see what Postgres has', async () => {
    const happened = new Set<string>();
    let [acked, lost] = [0, 0];
    for (let seed = 1; seed <= RUNS; seed++) {
      const outcome = await once(seed);
      expect(outcome.violations, `npm run model -- --seed ${seed} --runs 1 --trail`).toEqual([]);
      acked += outcome.acked;
      lost += outcome.lost;
      for (const name of Object.keys(outcome.done)) happened.add(name);
    }
    console.log(`${RUNS} runs, ${acked} acknowledged, ${lost} steps lost`);
    expect(acked).toBeGreaterThan(RUNS * 10);
    expect(lost).toBeGreaterThan(RUNS);
    expect(FAULT_NAMES.filter((name) => !happened.has(name))).toEqual([]);
  }, 300_000);

  it('[MODEL-2] a seed is a run', async () => {
    // What users are told holds ids, and those are new each time.
    const told = ({ trail, ...outcome }: Outcome) => ({
      ...outcome,
      trail: trail.filter((line) => !/ user \w+: (?:is|asks) /.test(line)),
    });
    const [first, second, other] = [await once(7), await once(7), await once(8)];
    expect(told(second)).toEqual(told(first));
    expect(told({ ...other, seed: 7 })).not.toEqual(told(first));
  });

  const off: Protection[] = ['outbox', 'dedupe', 'mark', 'look-up', 'commit first', 'watch', 'header once'];
  it.each(off)(
    '[MODEL-4] control: without one protection a promise is broken: %s',
    async (without) => {
      let broken = 0;
      for (let seed = 1; broken === 0 && seed <= FOUND_WITHIN; seed++) {
        const { violations } = await once(seed, { without });
        if (violations.length > 0) broken = seed;
      }
      expect(broken).toBeGreaterThan(0);
    },
    200_000,
  );
});
