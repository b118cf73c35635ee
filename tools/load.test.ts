import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planCrowd, sendRates } from '../load-tests/virtual-users/crowd.ts';
import { Latencies } from '../load-tests/virtual-users/latencies.ts';
import { Ledger, placeOf } from '../load-tests/virtual-users/ledger.ts';
import type { Beat, Outcome } from '../load-tests/virtual-users/pulse.ts';
import { nextPauseMs, pickWeighted, zipfShares } from '../load-tests/virtual-users/zipf.ts';
import { busySeconds, coresBetween, secondsOf } from './load/cpu-use.ts';
import { descriptorProblem, openFilesMax } from './load/descriptors.ts';
import { EXACT, parseOptions, SCENARIOS } from './load/options.ts';
import { pageOf, type Report } from './load/page.ts';
import { niceTop, svgOf } from './load/plot.ts';
import { progressOf } from './load/progress.ts';
import { bottleneck, disturbance, type Evidence, GENERATOR, isBroken, judge, LIMITS } from './load/promises.ts';
import { parseRecording, percentileOf, totalsOf } from './load/recording.ts';
import { type Scenario, scale, timesOf } from './load/scenario.ts';
import { cacheUse, parseMetrics, sumOf } from './load/scrape.ts';

/** The same numbers every time. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const shape = { users: 1_000, membersMax: 100, sizeExponent: 0.5, activityExponent: 1, channelsPerUser: 2.5 };

describe('the crowd', () => {
  it("[LOAD-1] sizes and activity of channels follow Zipf's law", () => {
    const shares = zipfShares(4, 1);
    expect(shares.map((share) => share / (shares[3] ?? 1))).toEqual([4, 2, expect.closeTo(4 / 3), 1]);
    const plan = planCrowd(shape, seeded());
    const sizes = plan.map(({ members }) => members.length);
    expect(sizes.slice(0, 4)).toEqual([100, 70, 57, 50]);
    expect(sizes.at(-1)).toBeLessThan(10);
    expect(plan.reduce((all, { share }) => all + share, 0)).toBeCloseTo(1);
    expect((plan[0]?.share ?? 0) / (plan[9]?.share ?? 1)).toBeCloseTo(10);
  });

  it('[LOAD-1] everybody is somewhere, nobody twice in one channel, nobody owns more than he may create in an hour', () => {
    const shapes = [2, 10, 111, 1_000].flatMap((users) =>
      [0.5, 0.7, 1].map((sizeExponent) => ({ ...shape, users, sizeExponent })),
    );
    for (const given of shapes) {
      const { users } = given;
      const plan = planCrowd(given, seeded());
      expect(new Set(plan.flatMap(({ members }) => members)).size).toBe(users);
      expect(
        plan.every(({ owner, members }) => members.includes(owner) && new Set(members).size === members.length),
      ).toBe(true);
      const owned = plan.map(({ owner }) => plan.filter((other) => other.owner === owner).length);
      expect(Math.max(...owned)).toBeLessThanOrEqual(5);
    }
  });

  it('[LOAD-1] the crowd sends as much as it is told to, and nobody more than a user may', () => {
    const plan = planCrowd(shape, seeded());
    const sumOfRates = (most: number) =>
      sendRates(plan, 1_000, { perSecond: 50, most }).map((own) =>
        [...own.values()].reduce((all, one) => all + one, 0),
      );
    expect(sumOfRates(10).reduce((all, one) => all + one, 0)).toBeCloseTo(50);
    expect(Math.max(...sumOfRates(10))).toBeGreaterThan(0.1);
    expect(Math.max(...sumOfRates(0.1))).toBeCloseTo(0.1);
  });

  it('[LOAD-1] picks by weight, and pauses by chance around the mean', () => {
    expect([0, 0.49, 0.5, 0.99].map((at) => pickWeighted([2, 1, 1], at))).toEqual([0, 0, 1, 2]);
    const random = seeded();
    const pauses = Array.from({ length: 20_000 }, () => nextPauseMs(2, random()));
    expect(pauses.reduce((all, one) => all + one, 0) / pauses.length / 500).toBeCloseTo(1, 1);
  });
});

describe('the ledger', () => {
  const send = (ledger: Ledger, n: number) => ledger.stands('c', `m${n}`, `7-${n}`);
  /** Two feeds that opened at 7-2; the second one is given what the test says. */
  function tallyOf(given: readonly string[], act: (ledger: Ledger) => void = () => undefined) {
    const ledger = new Ledger();
    for (const n of [1, 2]) send(ledger, n);
    const whole = ledger.open('c', '7-2');
    const feed = ledger.open('c', '7-2');
    for (const n of [3, 4, 5]) {
      whole.got(`m${n}`, `7-${n}`);
      send(ledger, n);
    }
    for (const message of given) feed.got(message, message.replace('m', '7-').replace('x', '7-'));
    act(ledger);
    whole.close();
    feed.close();
    const { feeds, deliveries, ...wrong } = ledger.tally();
    expect({ feeds, deliveries: deliveries >= 3 }).toEqual({ feeds: 2, deliveries: true });
    return Object.fromEntries(Object.entries(wrong).filter(([, count]) => count > 0));
  }

  it('[LOAD-2] finds nothing where every feed is whole, once, in order', () => {
    expect(tallyOf(['m3', 'm4', 'm5'])).toEqual({});
  });

  it.each<[string, readonly string[], object]>([
    ['a message that never came', ['m3', 'm5'], { missing: 1 }],
    ['an end that never came', ['m3'], { missing: 2 }],
    ['nothing at all', [], { missing: 3 }],
    ['one that came twice', ['m3', 'm4', 'm4', 'm5'], { repeated: 1 }],
    ['one that came late', ['m4', 'm3', 'm5'], { disordered: 1, missing: 1 }],
    ['another message at the same place', ['m3', 'x4', 'm5'], { different: 1 }],
  ])('[LOAD-2] control: finds %s', (_, given, wrong) => {
    expect(tallyOf(given)).toEqual(wrong);
  });

  it('[LOAD-2] control: finds a message at two places, an answer out of order, a feed that could not go on', () => {
    const given = ['m3', 'm4', 'm5'];
    expect(tallyOf(given, (ledger) => ledger.stands('c', 'm3', '7-9'))).toEqual({ doubled: 1 });
    expect(tallyOf(given, (ledger) => ledger.answered(placeOf('7-4'), placeOf('7-3')))).toEqual({ disordered: 1 });
    const ledger = new Ledger();
    ledger.open('c', null).resync();
    expect(ledger.tally()).toMatchObject({ resyncs: 1, missing: 0 });
  });

  it('[LOAD-2] a feed that goes on from an earlier place owes everything behind that place', () => {
    const ledger = new Ledger();
    for (const n of [1, 2, 3]) send(ledger, n);
    const feed = ledger.open('c', '7-3', placeOf('7-1'));
    expect(ledger.countBehind('c', placeOf('7-1'))).toBe(2);
    feed.got('m2', '7-2');
    expect(feed.caughtUp()).toBe(false);
    feed.got('m3', '7-3');
    expect(feed.caughtUp()).toBe(true);
    feed.close();
    expect(ledger.tally()).toMatchObject({ missing: 0, repeated: 0, disordered: 0 });
  });

  it('[LOAD-2] places of a later epoch stand behind all of an earlier one', () => {
    const ledger = new Ledger();
    ledger.stands('c', 'late', '8-1');
    ledger.stands('c', 'early', '7-100');
    const feed = ledger.open('c', '7-99');
    feed.got('early', '7-100');
    feed.got('late', '8-1');
    feed.close();
    expect(ledger.tally()).toMatchObject({ deliveries: 2, missing: 0, disordered: 0 });
  });
});

describe('times', () => {
  it('[LOAD-3] a percentile is never too low, and at most 2 % too high', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1_000; ms++) latencies.record(ms);
    for (const percent of [1, 50, 95, 99, 100]) {
      const measured = latencies.percentile(percent) ?? 0;
      expect(measured).toBeGreaterThanOrEqual(percent * 10 - 1e-6);
      expect(measured).toBeLessThanOrEqual(percent * 10 * 1.0201);
    }
  });

  it('[LOAD-3] seconds that are put together have the percentiles of the whole', () => {
    const seconds = [new Latencies(), new Latencies()];
    for (let ms = 1; ms <= 1_000; ms++) seconds[ms % 2]?.record(ms);
    const buckets = seconds.map((one) => one.take());
    expect(percentileOf(buckets, 95)).toBeGreaterThanOrEqual(950);
    expect(percentileOf(buckets, 95)).toBeLessThanOrEqual(950 * 1.0201);
    expect(seconds[0]?.count).toBe(0);
    expect(percentileOf([], 95)).toBeNull();
  });
});

const beat = (given: Partial<Beat> = {}): Beat => {
  const latencies = new Latencies();
  for (const ms of [10, 20, 30]) latencies.record(ms);
  const buckets = latencies.take();
  const times = { sendMs: buckets, deliveryMs: buckets, connectMs: buckets };
  const counts = { connections: 100, peakConnections: 100, sends: 3, calls: 10, deliveries: 3, events: 9, errors: 0 };
  return { at: 1_000, ...counts, ...times, loopP99Ms: 6, loopMaxMs: 9, busy: 0.3, ...given };
};
const tally = {
  feeds: 4,
  deliveries: 30,
  missing: 0,
  repeated: 0,
  disordered: 0,
  different: 0,
  doubled: 0,
  resyncs: 0,
};
const outcome: Outcome = { tally, accepted: 30, failedVisits: 0, errors: {}, cuts: 100, unreadWrong: 0 };
const beats = Array.from({ length: 20 }, () => beat());
const good: Evidence = {
  scenario: 'performance',
  quick: false,
  connections: 100,
  totals: totalsOf(beats),
  outcome,
  caches: [{ cache: 'users', hits: 95, asked: 100, errors: 0 }],
  kept: { ok: true, lost: 0, duplicate: 0, persisted: 30, waiting: 0 },
};
const statesOf = (evidence: Evidence) => [...new Set(judge(evidence).map(({ state }) => state))];
const brokenOf = (evidence: Evidence) =>
  judge(evidence).flatMap(({ state, promise }) => (state === 'broken' ? [promise] : []));

describe('the promises', () => {
  it('[LOAD-4] are kept by a good run', () => {
    expect(statesOf(good)).toEqual(['kept']);
    expect(isBroken(judge(good))).toBe(false);
    for (const scenario of SCENARIOS) expect(statesOf({ ...good, scenario })).toEqual(['kept']);
  });

  it.each<[string, Partial<Evidence>, RegExp]>([
    ['too many errors', { totals: { ...good.totals, errors: 1, calls: 1_000 } }, /^error rate/],
    ['a slow answer', { totals: { ...good.totals, sendP95Ms: 50 } }, /^send to answer/],
    ['a slow delivery', { totals: { ...good.totals, deliveryP95Ms: 100 } }, /^send to delivery, 95th/],
    ['the slowest deliveries', { totals: { ...good.totals, deliveryP99Ms: 180 } }, /^send to delivery, 99th/],
    ['too few connections', { connections: 101 }, /^connections/],
    ['cold caches', { caches: [{ cache: 'users', hits: 89, asked: 100, errors: 0 }] }, /caches/],
    ['a feed with a gap', { outcome: { ...outcome, tally: { ...tally, missing: 1 } } }, /^every feed/],
    ['feeds that were given nothing', { outcome: { ...outcome, tally: { ...tally, deliveries: 0 } } }, /^every feed/],
    ['a visit that failed', { outcome: { ...outcome, failedVisits: 1 } }, /^every visit/],
    ['a loss', { kept: { ok: false, lost: 1, duplicate: 0, persisted: 29, waiting: 0 } }, /verify/],
    ['the stores of another stack', { kept: { ok: true, lost: 0, duplicate: 0, persisted: 3, waiting: 0 } }, /verify/],
    ['a fault that was not injected', { scenario: 'reconnect', outcome: { ...outcome, cuts: 0 } }, /^a line is cut/],
    ['wrong unread counts', { scenario: 'offline', outcome: { ...outcome, unreadWrong: 1 } }, /^who returns/],
  ])('[LOAD-4] control: %s breaks one', (_, part, promise) => {
    const evidence = { ...good, ...part };
    expect(brokenOf(evidence)).toEqual([expect.stringMatching(promise)]);
    expect(isBroken(judge(evidence))).toBe(true);
  });

  it('[LOAD-4] what was not measured is unknown; a generator that ended early has broken its promise', () => {
    const unknown = { ...good, caches: null, kept: null };
    expect(statesOf(unknown)).toEqual(['kept', 'unknown']);
    expect(brokenOf({ ...good, outcome: null })).toEqual([expect.stringMatching(/^every visit/)]);
  });

  it('[LOAD-4] a quick run shows its times and does not judge them', () => {
    const slow = { ...good, quick: true, totals: { ...good.totals, deliveryP95Ms: 5_000 } };
    expect(statesOf(slow)).toEqual(['kept', 'noted']);
  });

  it('[LOAD-9] a run whose generator did not keep up says so', () => {
    expect(bottleneck(good.totals)).toBeNull();
    expect(bottleneck({ ...good.totals, loopP95Ms: GENERATOR.loopP95Ms + 1 })).toMatch(/generator was the bottleneck/);
    expect(bottleneck({ ...good.totals, busyP95: 0.95 })).toMatch(/95.0 % busy/);
    expect([disturbance([]), disturbance([{ api: 1, 'other programs': 0.1 }])]).toEqual([null, null]);
    expect(disturbance([{ 'other programs': 1 }, { 'other programs': 0.5 }])).toMatch(/used 0.8 cores/);
  });
});

describe('a run of another size', () => {
  const scenario: Scenario = {
    phases: [
      { name: 'warm-up', duration: 40, arrivalCount: 1_980 },
      { name: 'load', pause: 60 },
      { name: 'spike', duration: 5, arrivalCount: 220 },
      { name: 'cool-down', pause: 25 },
    ],
    variables: { users: 2_200, seconds: 130, sendsPerMinute: 3 },
  };

  it.each([2, 3, 100, 777, 5_000])('[LOAD-10] lets every user of %i connections arrive', (connections) => {
    const { phases, variables } = scale('performance', scenario, { connections, seconds: 26 });
    expect(phases.reduce((all, { arrivalCount = 0 }) => all + arrivalCount, 0)).toBe(variables.users);
    expect(variables.users).toBeGreaterThanOrEqual(connections);
    expect(variables).toMatchObject({
      seconds: 26,
      coolDownSeconds: 5,
      spikeAtSecond: 20,
      spikeSeconds: 1,
      sendsPerMinute: 3,
    });
    expect(phases.map(({ name }) => name)).toEqual(['warm-up', 'load', 'spike', 'cool-down']);
  });

  it('[LOAD-10] is the same when nothing is asked for', () => {
    const same = scale('performance', scenario, { connections: null, seconds: null });
    expect(same.phases).toEqual(scenario.phases);
    expect(same.variables).toEqual({ ...scenario.variables, ...timesOf(scenario.phases) });
  });
});

describe('the scenario files', () => {
  const texts = SCENARIOS.map((name) => [name, readFileSync(`load-tests/${name}-test.yml`, 'utf8')] as const);
  const numberOf = (text: string, name: string) => Number(new RegExp(`\\b${name}: ([\\d.]+)`).exec(text)?.[1]);
  const phasesOf = (text: string) =>
    [...text.matchAll(/\{ name: ([\w-]+), (duration|pause): (\d+)(?:, arrivalCount: (\d+))? \}/g)].map(
      ([, name = '', kind = '', seconds, arrivals]) => ({
        name,
        [kind]: Number(seconds),
        ...(arrivals && { arrivalCount: Number(arrivals) }),
      }),
    );

  it.each(texts)('[LOAD-12] %s: its variables say what its phases say', (name, text) => {
    const phases = phasesOf(text);
    expect(phases.reduce((all, { arrivalCount = 0 }) => all + arrivalCount, 0)).toBe(numberOf(text, 'users'));
    if (EXACT.includes(name)) return;
    for (const [variable, value] of Object.entries(timesOf(phases)))
      expect([variable, numberOf(text, variable)]).toEqual([variable, value]);
  });

  it('[LOAD-12] the thresholds that Artillery checks are the promised ones', () => {
    const text = texts.find(([name]) => name === 'performance')?.[1] ?? '';
    expect(numberOf(text, 'send_ms.p95"')).toBe(LIMITS.sendP95Ms);
    expect(numberOf(text, 'delivery_ms.p95"')).toBe(LIMITS.deliveryP95Ms);
    expect(numberOf(text, 'delivery_ms.p99"')).toBe(LIMITS.deliveryP99Ms);
    for (const [name, yaml] of texts) {
      const errors = EXACT.includes(name)
        ? 'parley.errors == 0'
        : `parley.errors / parley.calls < ${LIMITS.errorShare}`;
      expect(yaml).toContain(errors);
    }
  });

  it('[LOAD-12] performance has the four phases, and 2,000 connections or more', () => {
    const text = texts.find(([name]) => name === 'performance')?.[1] ?? '';
    expect([...new Set(phasesOf(text).map(({ name }) => name))]).toEqual(['warm-up', 'load', 'spike', 'cool-down']);
    expect(numberOf(text, 'users')).toBeGreaterThanOrEqual(2_000 * 1.1);
  });
});

describe('what a run needs', () => {
  const limits =
    'Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 4096                 files\n';

  it('[LOAD-11] too few open files are named, with what to do', () => {
    expect(openFilesMax(limits)).toBe(1_024);
    expect(openFilesMax('Max open files            unlimited            unlimited            files')).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(openFilesMax('')).toBeNull();
    expect(descriptorProblem(2_000, 1_024)).toMatch(
      /2000 connections need 2200 open files.*ulimit -n 2200.*--connections 824/,
    );
    expect([descriptorProblem(2_000, 2_200), descriptorProblem(2_000, null)]).toEqual([null, null]);
  });

  it('[LOAD-13] a command line is read, or refused in words', () => {
    expect(parseOptions(['spike'])).toMatchObject({
      scenario: 'spike',
      url: null,
      ops: null,
      connections: null,
      quick: false,
    });
    expect(
      parseOptions(['performance', '--url', 'http://127.0.0.1:3000/', '--connections', '50', '--duration', '9']),
    ).toMatchObject({
      url: 'http://127.0.0.1:3000',
      ops: 'http://127.0.0.1:3001',
      connections: 50,
      seconds: 9,
    });
    expect(parseOptions(['ordering', '--quick', '--connections', '7'])).toMatchObject({
      connections: 7,
      quick: true,
      seconds: 8,
    });
    expect(() => parseOptions([])).toThrow(/which run\? One of performance/);
    expect(() => parseOptions(['spike', '--connections', 'many'])).toThrow(/--connections must be a whole number/);
    expect(() => parseOptions(['spike', '--fast'])).toThrow(/--fast/);
  });

  it('[LOAD-13] a mistaken command line ends with 2 and the usage, before anything starts', () => {
    const args = ['--conditions=@parley/source', 'tools/load.ts', 'nonsense'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/npm run load -- performance\|stress\|spike/);
  });
});

describe('what the runner reads', () => {
  it('[LOAD-4] the hits of each cache between two scrapes, with the prefix and without it', () => {
    const text = (hits: number, misses: number, prefix: string) =>
      `# HELP x y\n${prefix}cache_requests_total{cache="users",outcome="hit"} ${hits}\n${prefix}cache_requests_total{cache="users",outcome="miss"} ${misses}\n${prefix}cache_requests_total{cache="sets",outcome="error"} 1\nprocess_cpu_seconds_total 1.5e+2\n`;
    for (const prefix of ['', 'parley_']) {
      expect(cacheUse(text(10, 10, prefix), text(19, 11, prefix))).toEqual([
        { cache: 'sets', hits: 0, asked: 0, errors: 0 },
        { cache: 'users', hits: 9, asked: 10, errors: 0 },
      ]);
    }
    const samples = parseMetrics(text(1, 2, 'parley_'));
    expect([sumOf(samples, 'cache_requests_total'), sumOf(samples, 'process_cpu_seconds_total')]).toEqual([4, 150]);
  });

  it('[LOAD-4] the generator’s lines, but not one that is not whole yet', () => {
    const text = `${JSON.stringify(beat())}\n${JSON.stringify({ outcome })}\n{"at":12`;
    expect(parseRecording(text)).toEqual({ beats: [beat()], outcome });
    expect(parseRecording('')).toEqual({ beats: [], outcome: null });
  });

  it('[LOAD-4] processor seconds of a process whatever its name is, and the cores between two looks', () => {
    expect(secondsOf('12 (a (b) c) S 1 12 12 0 -1 4194560 1 0 0 0 250 50 7 3 20 0')).toBeCloseTo(3.1);
    expect(secondsOf('')).toBe(0);
    expect(busySeconds('cpu  100 20 30 4000 50 6 7 0 0 0\ncpu0 1 2 3 4\n')).toBeCloseTo(1.63);
    const cores = coresBetween({ at: 0, seconds: { api: 1 } }, { at: 2_000, seconds: { api: 4, redis: 1 } });
    expect(cores).toEqual({ api: 1.5, redis: 0.5 });
  });
});

describe('the page', () => {
  const phases = [
    { name: 'warm-up', duration: 10, arrivalCount: 100 },
    { name: 'load', pause: 10 },
  ];
  const report = (evidence: Evidence): Report => ({
    scenario: evidence.scenario,
    at: '2026-11-26T00:00:00.000Z',
    machine: '2 cores',
    settings: { THREADS: '2' },
    phases,
    connections: 100,
    verdicts: judge(evidence),
    warnings: [bottleneck(evidence.totals)].filter((text) => text !== null),
    totals: evidence.totals,
    outcome: evidence.outcome,
    caches: evidence.caches,
    beats,
    cores: [{ second: 1, used: { api: 0.5 } }],
    levels: [],
  });

  it('[LOAD-8] says of every promise whether it was kept, and how the run was made', () => {
    const page = pageOf(report(good));
    for (const { promise } of judge(good)) expect(page).toContain(promise);
    expect(page.match(/<tr class="kept">/g)).toHaveLength(judge(good).length);
    expect(page).toContain('every promise kept');
    expect(pageOf(report({ ...good, quick: true }))).toContain('5 of 9 promises kept, none broken');
    expect(page).toContain('<td>THREADS</td><td>2</td>');
    for (const part of [
      '2 cores',
      'warm-up 100 users in 10 s, load 10 s',
      'Send to delivery',
      'Connections',
      'Processors',
    ])
      expect(page).toContain(part);
  });

  it('[LOAD-8] control: a broken promise and a slow generator are seen', () => {
    const page = pageOf(report({ ...good, totals: { ...good.totals, deliveryP99Ms: 200, loopP95Ms: 80 } }));
    expect(page.match(/<tr class="broken">/g)).toHaveLength(1);
    expect(page).toContain('1 of 9 promises broken');
    expect(page).toContain('The generator was the bottleneck');
  });

  it('[LOAD-8] needs nothing else, and takes no text for markup', () => {
    const hostile = { ...outcome, errors: { '<script>': 1 } };
    const page = pageOf(report({ ...good, outcome: hostile }));
    expect(page).not.toMatch(/<script|<link|src=|url\(|https?:/);
    expect(page).toContain('&#60;script&#62;');
  });

  it('[LOAD-8] plots fit their values, leave gaps, and show the limit', () => {
    expect([0.03, 1, 1.01, 23, 260, 999].map(niceTop)).toEqual([0.05, 1, 2, 25, 500, 1_000]);
    const svg = svgOf({
      title: 't',
      unit: 'ms',
      limit: 5,
      marks: [],
      lines: [{ label: 'p', values: [1, 2, null, 4] }],
    });
    expect(svg.match(/<path d="(M[^M]+)(M[^M]+)"/)).not.toBeNull();
    expect(svg).toContain('class="limit"');
    expect(svg).not.toContain('NaN');
    expect(svgOf({ title: 't', unit: 'ms', marks: [], lines: [{ label: 'p', values: [0, 0] }] })).toContain(
      '>1</text>',
    );
    expect(svgOf({ title: 't', unit: 'ms', marks: [], lines: [{ label: 'p', values: [] }] })).not.toMatch(
      /NaN|Infinity/,
    );
  });

  it('[LOAD-8] while it runs, a line says how it stands', () => {
    expect(progressOf(beats, phases)).toMatch(
      /20 s load · 100 connections · 3 sends\/s · 3 deliveries\/s · to delivery p95 31 ms/,
    );
    expect(progressOf([beat({ deliveryMs: [] })], phases)).toContain('p95 –');
  });
});
