import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { needs } from '@parley/testing/vitest';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { CHART } from './chart/files.ts';
import { simulateApis } from './scaling/apis.ts';
import { type Autoscaler, Controller, type ScalingRules } from './scaling/hpa.ts';
import { readLoad } from './scaling/load.ts';
import { byTheRules, simulateWorkers, type WorkerState } from './scaling/workers.ts';

const run = promisify(execFile);
const promtool = needs('promtool');
// What the chart renders for production; chart.test.ts holds it against Helm.
const RENDERED = 'tools/chart/production.rendered.yaml';
const DAY = 24 * 3_600;
const TEN_MINUTES = 40; // in looks of 15 s

// biome-ignore lint/suspicious/noExplicitAny: what is looked up is whatever Kubernetes has there; a miss fails the test
type Rendered = any;
const objects: Rendered[] = parseAllDocuments(readFileSync(RENDERED, 'utf8')).map((document) => document.toJSON());
const the = (kind: string, name: string) => objects.find((one) => one.kind === kind && one.metadata.name === name);

/** 600m, 6000, "10" */
const amount = (text: string) => (text.endsWith('m') ? Number(text.slice(0, -1)) / 1_000 : Number(text));

/** The autoscaler that the chart renders. */
function autoscalerOf(name: string): Autoscaler {
  const { minReplicas, maxReplicas, metrics, behavior } = the('HorizontalPodAutoscaler', name).spec;
  const targets = metrics.map((metric: Rendered) => {
    const { averageValue, averageUtilization } = (metric.pods ?? metric.external ?? metric.resource).target;
    const target = averageValue === undefined ? averageUtilization : amount(averageValue);
    return [metric.resource?.name ?? (metric.pods ?? metric.external).metric.name, target];
  });
  return { minReplicas, maxReplicas, targets: Object.fromEntries(targets), behavior };
}

const apis = autoscalerOf('parley-api');
const workers = autoscalerOf('parley-worker');
const apiEnv = the('ConfigMap', 'parley-api').data;
const drain = {
  delaySeconds: apiEnv.DRAIN_DELAY_MS / 1_000,
  windowSeconds: apiEnv.DRAIN_WINDOW_MS / 1_000,
  graceSeconds: the('Deployment', 'parley-api').spec.template.spec.terminationGracePeriodSeconds,
};
const weekday = readLoad(readFileSync('tools/scaling/weekday.csv', 'utf8'));
const day = {
  balance: 'fewest' as const,
  spec: apis,
  load: weekday,
  seconds: DAY,
  maxConnections: Number(apiEnv.MAX_CONNECTIONS),
  drain,
};
/** Two thirds of all users leave within a minute. */
const exodus = readLoad('0,10000,0\n20,60000,0\n30,60000,0\n31,20000,0\n120,20000,0');
/** What a worker of the benchmarks writes is more; fewer make the workers matter. */
const work = { spec: workers, load: weekday, seconds: DAY, capacity: 500 };

function withScaleDown(spec: Autoscaler, rules: Partial<ScalingRules>): Autoscaler {
  const { scaleUp, scaleDown } = spec.behavior;
  return { ...spec, behavior: { scaleUp, scaleDown: { ...scaleDown, ...rules } } };
}

const without = (spec: Autoscaler, ...names: string[]): Autoscaler => ({
  ...spec,
  targets: Object.fromEntries(Object.entries(spec.targets).filter(([name]) => !names.includes(name))),
});

/** How often it went down and up again, or up and down, within ten minutes. */
function flaps(replicas: readonly number[]): number {
  const moves = replicas.flatMap((now, at) => {
    const by = now - (replicas[at - 1] ?? now);
    return by === 0 ? [] : [{ at, up: by > 0 }];
  });
  return moves.filter(({ at, up }, index) => {
    const before = moves[index - 1];
    return before !== undefined && before.up !== up && at - before.at <= TEN_MINUTES;
  }).length;
}

describe('the formula', () => {
  const spec: Autoscaler = {
    minReplicas: 1,
    maxReplicas: 100,
    targets: { load: 10 },
    behavior: {
      scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 60 }] },
      scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] },
    },
  };
  const pods = (...values: (number | undefined)[]) => ({ load: { kind: 'pods' as const, values } });

  it('[DEPLOY-40] is that of Kubernetes, in the cases that its documentation tells', () => {
    const once = (current: number, load: ReturnType<typeof pods>) => new Controller(spec).decide(0, current, load);
    expect(once(2, pods(20, 20))).toBe(4);
    expect(once(2, pods(10.9, 10.9))).toBe(2); // within the tolerance of a tenth
    expect(once(3, pods(40, 40, 40))).toBe(6); // not more than twice in a minute
    expect(once(2, pods(30, undefined))).toBe(3); // one that has no number yet counts as idle when more are wanted
    expect(once(4, pods(1, undefined, undefined, undefined))).toBe(4); // and as busy when fewer are
    expect(new Controller(spec).decide(0, 3, { load: null })).toBe(3);
    expect(new Controller(spec).decide(0, 3, { load: { kind: 'external', value: 55 } })).toBe(6);
  });

  it('[DEPLOY-40] goes down by the highest answer of the window, at the pace of the policy', () => {
    const controller = new Controller(spec);
    let replicas = controller.decide(0, 4, pods(10, 10, 10, 10));
    const seen = [15, 30, 45, 60, 75, 90, 105].map((now) => {
      replicas = controller.decide(now, replicas, pods(...Array.from({ length: replicas }, () => 1)));
      return replicas;
    });
    expect(seen).toEqual([4, 4, 4, 3, 3, 2, 2]);
  });
});

describe('apis on a weekday', () => {
  it('[DEPLOY-41] find a place for everybody, and do not flap', () => {
    const { replicas, refused } = simulateApis(day);
    expect(refused).toBe(0);
    expect(flaps(replicas)).toBeLessThanOrEqual(2); // a day
    expect(Math.max(...replicas)).toBeLessThan(apis.maxReplicas);
    expect(Math.max(...replicas)).toBeGreaterThanOrEqual(13); // 78,000 users, 6,000 a pod
    expect(replicas.at(-1)).toBe(apis.minReplicas);
  });

  it('[DEPLOY-41] find it behind a proxy that only takes turns, too', () => {
    const { refused, replicas } = simulateApis({ ...day, balance: 'turns' });
    expect(refused).toBe(0);
    expect(flaps(replicas)).toBeLessThanOrEqual(2);
  });

  it('[DEPLOY-41] control: by CPU of idle sockets alone there is no place for many', () => {
    const spec = without(apis, 'parley_socket_connections', 'parley_event_loop_utilization');
    // Of sockets that only listen the target is reached at twice as many.
    expect(simulateApis({ ...day, spec: { ...spec, targets: { cpu: 160 } } }).refused).toBeGreaterThan(1_000);
  });

  it('[DEPLOY-41] control: without stabilization they flap', () => {
    const spec = withScaleDown(apis, { stabilizationWindowSeconds: 0 });
    expect(flaps(simulateApis({ ...day, spec }).replicas)).toBeGreaterThan(20);
  });

  it('[DEPLOY-42] that are taken away have sent everybody elsewhere, one after the other', () => {
    const { cut, drained, drainingAtOnce } = simulateApis(day);
    expect(drained).toBeGreaterThan(10);
    expect(cut).toBe(0);
    expect(drainingAtOnce).toBe(1);
    expect(simulateApis({ ...day, load: exodus, seconds: 7_200 })).toMatchObject({ cut: 0, drainingAtOnce: 1 });
  });

  it('[DEPLOY-42] control: with less time than the drain needs users are cut off', () => {
    expect(simulateApis({ ...day, drain: { ...drain, graceSeconds: 30 } }).cut).toBeGreaterThan(1_000);
  });

  it('[DEPLOY-42] control: at a faster pace several drain at once', () => {
    const spec = withScaleDown(apis, { policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] });
    expect(simulateApis({ ...day, load: exodus, seconds: 7_200, spec }).drainingAtOnce).toBeGreaterThan(2);
  });
});

describe('workers on a weekday', () => {
  it('[DEPLOY-43] drain within the time that was asked for, and do not flap', () => {
    const { replicas, worstSecondsToDrain, backlogAtEnd } = simulateWorkers(work);
    expect(worstSecondsToDrain).toBeLessThan(workers.targets.parley_drain_worker_seconds ?? 0);
    expect(backlogAtEnd).toBeLessThan(work.capacity);
    expect(flaps(replicas)).toBe(0);
    const lanes = Number(apiEnv.LANES);
    expect(workers.maxReplicas).toBeLessThanOrEqual(lanes);
    expect(Math.max(...replicas)).toBeGreaterThan(workers.minReplicas);
  });

  it('[DEPLOY-43] control: by what waits alone those that keep up are taken away until they do not, for ever', () => {
    const only = simulateWorkers({ ...work, spec: without(workers, 'parley_drain_busy_workers', 'cpu') });
    expect(flaps(only.replicas)).toBeGreaterThan(20);
    expect(only.worstSecondsToDrain).toBeGreaterThan(30);
  });

  it('[DEPLOY-43] control: by seconds of all workers instead of one, too few come and the backlog stays', () => {
    const load = readLoad('0,0,400\n10,0,400\n11,0,3000\n120,0,3000');
    const ours = simulateWorkers({ ...work, load, seconds: 7_200 });
    expect(ours.backlogAtEnd).toBeLessThan(work.capacity);
    const spec = without(workers, 'parley_drain_busy_workers', 'cpu');
    const told = (state: WorkerState) => ({
      parley_drain_worker_seconds: { kind: 'external' as const, value: state.backlog / state.capacity / state.workers },
    });
    expect(simulateWorkers({ ...work, spec, load, seconds: 7_200, told }).backlogAtEnd).toBeGreaterThan(
      60 * work.capacity,
    );
  });

  describe('while Postgres is away', () => {
    const outage = { from: 3_600, to: 4_500 };
    const steady = readLoad('0,0,900');
    const during = (replicas: readonly number[]) => replicas.slice(outage.from / 15 + 2, outage.to / 15);

    it('[DEPLOY-44] stay as many as they are', () => {
      const { replicas, backlogAtEnd } = simulateWorkers({ ...work, load: steady, seconds: 7_200, outage });
      expect(new Set(during(replicas)).size).toBe(1);
      expect(backlogAtEnd).toBeLessThan(work.capacity);
    });

    it('[DEPLOY-44] control: if what waits were still told, all that may be would press upon it', () => {
      const told = (state: WorkerState) => byTheRules({ ...state, postgresAway: false });
      const { replicas } = simulateWorkers({ ...work, load: steady, seconds: 7_200, outage, told });
      expect(Math.max(...during(replicas))).toBe(workers.maxReplicas);
    });
  });
});

describe('the rules that make the numbers', () => {
  it('[DEPLOY-45] are passed on by the adapter under the names that the autoscalers ask for', () => {
    const adapter = parse(readFileSync(`${CHART}/files/adapter.yaml`, 'utf8'));
    const nameOf = ({ name, seriesQuery }: Rendered) => name?.as ?? seriesQuery.replace(/\{.*/, '');
    const given = [...adapter.rules, ...adapter.externalRules].map(nameOf);
    const asked = [apis, workers].flatMap(({ targets }) => Object.keys(targets)).filter((name) => name !== 'cpu');
    expect(given.toSorted()).toEqual(asked.toSorted());
    const recorded = parse(readFileSync(`${CHART}/files/scaling.yaml`, 'utf8')).groups.flatMap(({ rules }: Rendered) =>
      rules.map(({ record }: Rendered) => record),
    );
    for (const { seriesQuery } of adapter.externalRules) expect(recorded).toContain(seriesQuery.replace(/\{.*/, ''));
  });

  promtool.test(
    '[DEPLOY-46] say what waits as seconds of work, what is busy, and nothing while Postgres is away',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'parley-rules-'));
      try {
        const rules = resolve(`${CHART}/files/scaling.yaml`);
        const where = 'namespace="chat",release="parley"';
        const test = parse(readFileSync('tools/scaling/rules.promtool.yaml', 'utf8').replaceAll('$where', where));
        const file = join(folder, 'test.yaml');
        writeFileSync(file, stringify({ ...test, rule_files: [rules] }));
        const passed = await run(promtool.path, ['test', 'rules', file]).then(
          ({ stdout }) => stdout,
          (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`,
        );
        expect(passed).toContain('SUCCESS');
        writeFileSync(file, stringify({ ...test, rule_files: [rules] }).replace('value: 4\n', 'value: 5\n'));
        await expect(run(promtool.path, ['test', 'rules', file])).rejects.toThrow();
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
