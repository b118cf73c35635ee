import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Report } from '../../../tools/load/page.ts';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { needs } from '../src/vitest.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const artillery = needs('npm ci in load-tests', `${ROOT}load-tests/node_modules/artillery/bin/run`);
const MAY_TAKE_MS = 120_000;

interface Ended {
  readonly code: number;
  readonly text: string;
  readonly page: string;
  readonly report: Report;
}

/** `npm run load`'s own program, at a small size. */
async function load(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const out = mkdtempSync(join(tmpdir(), 'parley-load-test-'));
  try {
    const { code, text } = await new Promise<{ code: number; text: string }>((resolve) => {
      const command = ['--conditions=@parley/source', 'tools/load.ts', ...args, '--out', out];
      const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', HOME: out, ...env }, timeout: MAY_TAKE_MS };
      const child = execFile(process.execPath, command, options, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
      );
    });
    const file = (suffix: string) => readFileSync(join(out, `${args[0]}.${suffix}`), 'utf8');
    expect(code, text).not.toBe(2);
    return { code, text, page: file('html'), report: reportOf(file('json')) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const reportOf = (text: string) => JSON.parse(text) as Report;
const statesOf = ({ report }: Ended) =>
  Object.fromEntries(report.verdicts.map(({ promise, state }) => [promise, state]));
const measurements = (report: Report) =>
  report.beats
    .flatMap(({ deliveryMs }) => deliveryMs.filter((_, at) => at % 2 === 1))
    .reduce((all, one) => all + one, 0);

artillery.describe('npm run load', () => {
  artillery.test(
    '[RUN-92] [LOAD-4] starts a stack, lets its users live there, finds every message afterwards, and ends the stack',
    async () => {
      const ended = await load(['performance', '--quick', '--connections', '20', '--duration', '12']);
      expect(ended.code, ended.text).toBe(0);
      expect(Object.values(statesOf(ended)), ended.text).not.toContain('broken');
      expect(statesOf(ended)).toMatchObject({
        'every feed whole, once, in order': 'kept',
        'npm run verify: 0 lost, 0 duplicate': 'kept',
        'send to delivery, 95th percentile below 100 ms': 'noted',
      });
      expect(ended.report.totals).toMatchObject({ errors: 0 });
      expect(ended.report.totals.deliveries).toBeGreaterThan(0);
      expect(ended.page).toContain('5 of 9 promises kept, none broken');
      // Which phase a line falls into is up to the machine: they are seconds long here.
      expect(ended.text).toMatch(/\d s [a-z-]+ · \d+ connections · \d+ sends\/s/);
    },
    MAY_TAKE_MS,
  );

  artillery.test(
    '[LOAD-14] soak: what is held is looked at all the while, and let go of when all have left',
    async () => {
      const ended = await load(['soak', '--quick', '--connections', '20', '--duration', '20']);
      expect(ended.code, ended.text).toBe(0);
      const states = statesOf(ended);
      expect(Object.values(states), ended.text).not.toContain('unknown');
      expect(states).toMatchObject({
        'every feed whole, once, in order': 'kept',
        'heap of the api after collections: less than 1 % more in an hour': 'noted',
        'connections when all have left: as before': 'kept',
        'listeners when all have left: as before': 'kept',
      });
      // Control: there was something to let go of.
      expect(Math.max(...ended.report.levels.map(({ listeners }) => listeners ?? 0))).toBeGreaterThan(20);
      expect(ended.page).toContain('Heap of the api');
    },
    MAY_TAKE_MS,
  );

  artillery.describe('on a stack that runs', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster({ apis: 2, workers: 1, migrate });
    });
    afterAll(() => cluster[Symbol.asyncDispose]());
    const at = (api = cluster.apis[0]) => ['--url', api?.url ?? '', '--ops', `http://127.0.0.1:${api?.opsPort}`];

    artillery.test(
      '[LOAD-5] [LOAD-3] ordering: who sends at the same time is seen by all in one order, and every delivery to others is timed',
      async () => {
        const ended = await load(['ordering', '--quick', '--connections', '20', ...at()], cluster.env);
        expect(ended.code, ended.text).toBe(0);
        expect(Object.values(statesOf(ended)), ended.text).toEqual(ended.report.verdicts.map(() => 'kept'));
        // Everybody looks at all his channels from the start, so only his own words are no delivery to somebody else.
        const { accepted = 0, tally } = ended.report.outcome ?? {};
        expect(measurements(ended.report)).toBe((tally?.deliveries ?? 0) - accepted);
        expect(accepted).toBe(20 * 10);
      },
      MAY_TAKE_MS,
    );

    artillery.test(
      '[LOAD-6] reconnect: lines are cut, and no feed shows it',
      async () => {
        const ended = await load(['reconnect', '--quick', '--connections', '20', ...at()], cluster.env);
        expect(ended.code, ended.text).toBe(0);
        expect(Object.values(statesOf(ended)), ended.text).toEqual(ended.report.verdicts.map(() => 'kept'));
        expect(ended.report.outcome?.accepted).toBe(20 * 15);
      },
      MAY_TAKE_MS,
    );

    artillery.test(
      '[LOAD-7] offline: who returns is told how much he missed, and gets it once, in order',
      async () => {
        const ended = await load(['offline', '--quick', '--connections', '20', ...at()], cluster.env);
        expect(ended.code, ended.text).toBe(0);
        expect(Object.values(statesOf(ended)), ended.text).toEqual(ended.report.verdicts.map(() => 'kept'));
        const { accepted = 0, tally } = ended.report.outcome ?? {};
        // What was missed comes from the past, and is no delivery that could be timed.
        expect(measurements(ended.report)).toBeLessThan((tally?.deliveries ?? 0) - accepted);
      },
      MAY_TAKE_MS,
    );

    artillery.test(
      '[LOAD-8] control: users who are refused break a promise, and the exit code says so',
      async () => {
        const env = { SEND_RATE_PER_MINUTE: '1', SEND_BURST: '5' };
        await using strict = await startCluster({ apis: 1, workers: 1, migrate, env });
        const ended = await load(['ordering', '--quick', '--connections', '4', ...at(strict.apis[0])], strict.env);
        expect(ended.code, ended.text).toBe(1);
        expect(statesOf(ended)).toMatchObject({ 'every visit comes to its end': 'broken' });
        expect(ended.text).toContain('4 failed');
        expect(ended.page).toMatch(/\d of \d promises broken/);
      },
      MAY_TAKE_MS,
    );
  });
});
