import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cpuMicros, withChildren } from './bench/cpu.ts';
import { bodyOf } from './bench/crowd/client.ts';
import { Histogram } from './bench/crowd/histogram.ts';
import { Tally } from './bench/crowd/tally.ts';
import { readOptions } from './bench/options.ts';
import { plot } from './bench/plot.ts';
import { parseMonitored, renewed } from './bench/recorded-calls.ts';
import { exitCodeOf, figure, type Line, markdown, type Report, summary, together } from './bench/report.ts';
import { estimate, gainOf, quantile, ratioOf, slopes, spread } from './bench/statistics.ts';
import { judge, verdictText } from './bench/verdict.ts';

describe('statistics', () => {
  it('interpolates quantiles', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('tells the spread as a share of the median', () => {
    expect(spread([9, 10, 12])).toBeCloseTo(0.3);
  });

  it('the interval holds the median, is narrow for values alike, wide for others, and the same each time', () => {
    const alike = estimate([10, 10.1, 9.9, 10, 10.2, 9.8, 10]);
    const apart = estimate([5, 20, 8, 14, 10, 30, 2]);
    expect(alike.low).toBeLessThanOrEqual(alike.median);
    expect(alike.high).toBeGreaterThanOrEqual(alike.median);
    expect(alike.high - alike.low).toBeLessThan(0.5);
    expect(apart.high - apart.low).toBeGreaterThan(5);
    expect(estimate([5, 20, 8, 14, 10, 30, 2])).toEqual(apart);
  });

  it('[BENCH-2] what slows both sides of a pair leaves the ratio as it is', () => {
    const calm = Array.from({ length: 7 }, () => ({ ours: 2, theirs: 6 }));
    const busy = calm.map((pair, i) => ({ ours: pair.ours * (i + 1), theirs: pair.theirs * (i + 1) }));
    expect(ratioOf(busy)).toEqual(ratioOf(calm));
    expect(gainOf(busy)).toEqual({ median: 3, low: 3, high: 3 });
  });

  it('[BENCH-2] control: what slows one side alone changes it', () => {
    const pairs = Array.from({ length: 7 }, () => ({ ours: 2, theirs: 12 }));
    expect(gainOf(pairs).median).toBe(6);
  });
});

describe('verdict', () => {
  const at = (low: number, median: number, high: number) => ({ low, median, high });

  it('[BENCH-1] a target is missed only when the whole interval lies past it, and met only when none of it does', () => {
    expect(judge(at(1.2, 1.3, 1.4), { atMost: 1.1 }, 7)).toEqual({ is: 'missed', by: expect.closeTo(0.18, 2) });
    expect(judge(at(1.0, 1.3, 1.4), { atMost: 1.1 }, 7)).toEqual({ is: 'open' });
    expect(judge(at(0.9, 1.0, 1.1), { atMost: 1.1 }, 7)).toEqual({ is: 'met' });
    expect(judge(at(1.0, 1.5, 2.0), { atLeast: 3 }, 7)).toEqual({ is: 'missed', by: 0.5 });
    expect(judge(at(2.9, 3.5, 4.0), { atLeast: 3 }, 7)).toEqual({ is: 'open' });
    expect(judge(at(3.0, 3.5, 4.0), { atLeast: 3 }, 7)).toEqual({ is: 'met' });
  });

  it('[BENCH-1] fewer than seven rounds decide nothing', () => {
    expect(judge(at(9, 9, 9), { atMost: 1 }, 6)).toEqual({ is: 'open' });
    expect(judge(at(0, 0, 0), { atMost: 1 }, 6)).toEqual({ is: 'open' });
    expect(judge(at(Number.NaN, Number.NaN, Number.NaN), { atMost: 1 }, 7)).toEqual({ is: 'open' });
  });

  it('says by how much', () => {
    expect(verdictText({ is: 'missed', by: 0.123 })).toBe('missed by 12 %');
    expect(verdictText({ is: 'missed', by: 0.001 })).toBe('missed by 1 %');
    expect(verdictText({ is: 'met' })).toBe('met');
    const never = ratioOf(Array.from({ length: 7 }, () => ({ ours: Number.POSITIVE_INFINITY, theirs: 5 })));
    expect(verdictText(judge(never, { atMost: 0.15 }, 7))).toBe('missed by far');
  });
});

const line = (over: Partial<Line>): Line => ({
  id: 'B1',
  what: 'delivery',
  ours: '5.00 µs ±3 %',
  peer: '5.00 µs ±3 %',
  measured: { low: 0.9, median: 1, high: 1.05 },
  unit: 'x',
  target: { atMost: 1.1 },
  rounds: 7,
  verdict: { is: 'met' },
  notes: ['a note'],
  ...over,
});
const report = (lines: readonly Line[], failures: Report['failures'] = []): Report => ({
  at: '2026-11-26T03:04:05.678Z',
  commit: 'abcdef0',
  quick: false,
  machine: '2 cores',
  versions: 'Node 24',
  tookMs: 1_000,
  lines,
  curves: [],
  failures,
});
const missed = line({ id: 'B3', verdict: { is: 'missed', by: 0.2 } });
const open = line({ id: 'B4', verdict: { is: 'open' } });

describe('the report', () => {
  it('is a table with target and verdict of each line, and its date, commit and machine', () => {
    const text = markdown(report([line({}), missed], [{ id: 'B9', reason: 'no memory' }]));
    expect(text).toContain('2026-11-26 03:04 UTC, commit abcdef0. 2 cores. Node 24.');
    expect(text).toContain('| B1 | delivery | 5.00 µs ±3 % | 5.00 µs ±3 % | 1.00x (0.900–1.05) | ≤ 1.10x | met |');
    expect(text).toContain('| missed by 20 % |');
    expect(text).toContain('* B1, delivery: a note');
    expect(text).toContain('* B9 could not be measured: no memory');
  });

  it('[BENCH-1] names which rows fall short in its last line, and fails when one does or could not be measured', () => {
    expect(summary(report([line({}), missed, open]))).toBe(
      'bench: 1 of 3 targets met, 1 missed (B3), 1 open (B4), 0 failed',
    );
    expect(exitCodeOf(report([line({}), open]))).toBe(0);
    expect(exitCodeOf(report([line({}), missed]))).toBe(1);
    expect(exitCodeOf(report([line({})], [{ id: 'B9', reason: 'x' }]))).toBe(1);
  });

  it('writes figures with three digits', () => {
    expect([0.0123, 1.234, 12.34, 123.4, 1_234, 0, Number.NaN].map(figure)).toEqual([
      '0.012',
      '1.23',
      '12.3',
      '123',
      '1234',
      '0.00',
      '–',
    ]);
  });
});

describe('a kept report', () => {
  it('has the rows of an older one that were not measured again, and says when they were', () => {
    const older = report([line({ id: 'B1', what: 'old' }), line({ id: 'B2' })], [{ id: 'S1', reason: 'x' }]);
    const kept = together(report([line({ id: 'B10' }), line({ id: 'B1', what: 'new' })]), older);
    expect(kept.lines.map(({ id, what }) => [id, what])).toEqual([
      ['B1', 'new'],
      ['B2', line({}).what],
      ['B10', line({}).what],
    ]);
    expect(kept.lines[1]?.notes.at(-1)).toMatch(/^measured \d{4}-/);
    expect(together(report([]), kept).lines[1]?.notes).toEqual(kept.lines[1]?.notes);
    expect(kept.failures).toEqual([{ id: 'S1', reason: 'x' }]);
  });
});

describe('slopes', () => {
  /** Memory of a process after its garbage was collected, minute by minute, with 500 connections that left in each. */
  const minutes = (keptKiB: number) =>
    [0.2, -0.1, 0.3, 0, -0.3, 0.1, -0.2, 0.2, 0, -0.1].map((noise, i) => 150_000 + noise * 500 + i * 500 * keptKiB);
  const verdict = (keptKiB: number) => {
    const values = slopes(minutes(keptKiB), 500);
    return judge(estimate(values), { atMost: 1 }, values.length).is;
  };

  it('what is kept of each who leaves is found in the noise', () => {
    expect(verdict(0)).toBe('met');
    expect(verdict(2)).toBe('missed');
  });
});

describe('options', () => {
  it('takes single rows in any order, the quick ones, or all', () => {
    expect(readOptions(['--only', 'b3,B1']).rows).toEqual(['B1', 'B3']);
    expect(readOptions(['--quick']).rows).toEqual(['B1', 'B2', 'B3', 'B6', 'B7', 'B9']);
    expect(readOptions([])).toMatchObject({ pairs: 7, quick: false, out: 'bench', json: false, keep: false });
    expect(readOptions([]).rows).toHaveLength(14);
  });

  it('refuses what there is not', () => {
    expect(() => readOptions(['--only', 'B99'])).toThrow('no such row: B99');
    expect(() => readOptions(['--pairs', '0'])).toThrow('--pairs');
    expect(() => readOptions(['--slow'])).toThrow();
  });
});

describe('the crowd counts', () => {
  const answered = { at: 0, answers: true };

  it('times by steps, the longest ones too', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 100; ms++) histogram.add(ms);
    expect(histogram.quantile(0.5)).toBeCloseTo(50, 1);
    expect(histogram.quantile(0.99)).toBeCloseTo(99, 1);
    histogram.add(1e9);
    expect(histogram.quantile(1)).toBe(30_000);
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });

  it('[BENCH-3] what is lost, doubled or refused, and waits for each message to be answered and everywhere', () => {
    const tally = new Tally(5);
    let done = 0;
    tally.onDone = () => done++;
    const seq = tally.next(2, answered);
    expect(seq).toBe(5);
    tally.delivered(seq);
    tally.answered(seq, '');
    expect([done, tally.isSettled]).toEqual([0, false]);
    tally.delivered(seq);
    expect([done, tally.isSettled]).toEqual([1, true]);
    tally.delivered(seq);
    tally.delivered(4); // Of a run before.
    const refused = tally.next(2, answered);
    tally.answered(refused, 'no');
    tally.next(3, answered);
    const rest = { disordered: 0, otherFrames: 0, frameBytes: 0, sampleFrame: '', ownLoad: 0 };
    expect(tally.result(rest)).toMatchObject({
      messages: 3,
      deliveries: 2,
      doubled: 1,
      lost: 3,
      refused: 1,
      firstRefusal: 'no',
    });
  });

  it('messages by a mark of a fixed length', () => {
    expect(bodyOf(12)).toMatch(/^~#000000012 /);
    expect(Buffer.byteLength(bodyOf(12))).toBe(Buffer.byteLength(bodyOf(999_999_999)));
  });
});

describe('recorded calls', () => {
  it('are read from MONITOR as they were sent; what a script called is not among them', () => {
    expect(parseMonitored('1764.5 [0 127.0.0.1:5] "set" "a b" "{\\"x\\":\\"\\\\n\\"}\\x00\\n"')).toEqual([
      'set',
      'a b',
      '{"x":"\\n"}\x00\n',
    ]);
    expect(parseMonitored('1764.5 [0 lua] "xadd" "k"')).toBeNull();
    expect(parseMonitored('OK')).toBeNull();
  });

  it('are made for another message by new ids, the same one wherever it stood', () => {
    const [, key, payload] = renewed(['evalsha', 'dd:old', '{"id":"other","clientMsgId":"old"}'], ['old', 'other']);
    const fresh = key?.slice(3);
    expect(fresh).not.toBe('old');
    expect(JSON.parse(payload ?? '')).toMatchObject({ clientMsgId: fresh });
    expect(payload).not.toContain('other');
  });
});

describe('the plot', () => {
  it('[BENCH-6] has a line for each side, with its points, and names of any letters', () => {
    const point = (perSecond: number, p95: number) => ({
      perSecond,
      p50: p95 / 2,
      p95,
      p99: p95 * 2,
      ackP95: p95,
      survived: true,
    });
    const curves = [
      { name: 'ours', points: [point(500, 1), point(1_000, 2)] },
      { name: 'theirs & others', points: [point(500, 10), point(1_000, 400)] },
    ];
    const svg = plot(curves, 'a < b');
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(4);
    expect(svg).toContain('theirs &amp; others');
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('1000 ms');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe.runIf(process.platform === 'linux')('[BENCH-4] processor time', () => {
  const burn = `
    const { Worker, isMainThread } = require('node:worker_threads');
    const spin = () => { for (const end = Date.now() + 300; Date.now() < end; ); };
    if (isMainThread) new Worker(process.argv[1]).on('online', () => setTimeout(() => process.send('done'), 800));
    else { spin(); setInterval(() => {}, 1_000); }`;

  it('is that of the named process with all its threads, and of nobody else', async () => {
    const before = cpuMicros([process.pid]);
    const { mkdtemp, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const file = `${await mkdtemp(`${tmpdir()}/parley-burn-`)}/burn.cjs`;
    await writeFile(file, burn);
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    try {
      await once(child, 'message');
      const pid = child.pid ?? 0;
      expect(cpuMicros([pid])).toBeGreaterThan(100_000);
      expect(withChildren(process.pid)).toContain(pid);
      expect(cpuMicros([process.pid]) - before).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
