import { cpuMicros } from '../cpu.ts';
import type { RunResult } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { type Peer, startPeer } from '../peer.ts';
import { type Curve, figure, type Line } from '../report.ts';
import { closeBoth, familyOf, ourGroup, type Spread, takeTurns, theirGroup } from '../sides.ts';
import { median, type Pair } from '../statistics.ts';
import { type Bench, type Measure, ratioLine, valueLine } from './row.ts';

const SERVERS = 2;
const HOT = { spread: { channels: 1, members: 200 }, perSecond: 1_000, forMs: 2_000, target: { atLeast: 4 }, p95: 15 };
const CALM = { spread: { channels: 100, members: 10 }, perSecond: 2_000, forMs: 2_000 };
const SWEEP = [250, 500, 1_000, 1_500, 2_000, 3_000];
/** A load is survived while nearly everything is delivered at the pace at which it is sent. */
const SURVIVED_MS = 1_000;
const WARM_UP = { perSecond: 100, forMs: 1_000 };

interface Stage extends AsyncDisposable {
  readonly parley: Parley;
  readonly peers: readonly Peer[];
  /** Lets a side send at this pace; what its servers used, in microseconds, and what became of the messages. */
  run(
    group: 'ours' | 'theirs',
    pace: { perSecond: number; forMs: number },
  ): Promise<{ micros: number; result: RunResult }>;
}

/** Two apis with a worker that persists behind them, and two Socket.IO servers, each with the same crowd. */
async function setUp({ crowd }: Bench, spread: Spread): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: SERVERS, workers: 1 }));
  const env = { REDIS_URL: parley.cluster.cache.url };
  const starting = Array.from({ length: SERVERS }, () => startPeer('socket-io', env));
  const peers = (await Promise.all(starting)).map((peer) => started.use(peer));
  await crowd.open(await ourGroup(parley, spread));
  await crowd.open(theirGroup(peers, spread));
  started.defer(() => closeBoth(crowd));
  const pids = {
    ours: familyOf(...parley.cluster.apis.map(({ pid }) => pid)),
    theirs: familyOf(...peers.map(({ pid }) => pid)),
  };
  const run: Stage['run'] = async (group, pace) => {
    const before = cpuMicros(pids[group]);
    const result = await crowd.run({ kind: 'paced', group, ...pace });
    return { micros: cpuMicros(pids[group]) - before, result };
  };
  // Code that has never run may be too slow for its first messages.
  for (const group of ['ours', 'theirs'] as const) await crowd.tryRun({ kind: 'paced', group, ...WARM_UP });
  const owned = started.move();
  return { parley, peers, run, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** B4: one hot channel. What the servers use for a delivery, and how late it comes. */
export const measureHotChannel: Measure = async (bench) => {
  await using stage = await setUp(bench, HOT.spread);
  const pairs: Pair[] = [];
  const ours: RunResult[] = [];
  const theirs: RunResult[] = [];
  for (let round = 0; round < bench.options.pairs; round++) {
    bench.say(`B4: round ${round + 1}`);
    const [we, they] = await takeTurns(
      round,
      () => stage.run('ours', HOT),
      () => stage.run('theirs', HOT),
    );
    pairs.push({ ours: we.micros / we.result.deliveries, theirs: they.micros / they.result.deliveries });
    ours.push(we.result);
    theirs.push(they.result);
  }
  const what = `hot channel, ${HOT.spread.members} subscribers × ${HOT.perSecond} messages/s, ${SERVERS} processes`;
  const loads = [ours, theirs].map((results) => median(results.map(({ ownLoad }) => ownLoad)).toFixed(2));
  return [
    ratioLine(pairs, {
      id: 'B4',
      what: `${what}, against Socket.IO + redis-adapter`,
      unit: 'µs/delivery',
      target: HOT.target,
      notes: [`the load generator itself used ${loads.join(' and ')} of a core; a worker persists ours meanwhile`],
    }),
    valueLine(
      ours.map(({ deliveryMs }) => deliveryMs.p95),
      {
        id: 'B4',
        what: `${what}, send to delivery p95`,
        unit: 'ms',
        target: { atMost: HOT.p95 },
        peer: `Socket.IO ${Math.round(median(theirs.map(({ deliveryMs }) => deliveryMs.p95)))} ms`,
      },
    ),
  ];
};

/** B8: how late deliveries and answers come, by load, until neither side keeps up; then side against side at one load. */
export const measureLatency: Measure = async (bench) => {
  await using _stage = await setUp(bench, CALM.spread);
  const runBoth = (turn: number, perSecond: number) => {
    const pace = { kind: 'paced', perSecond, forMs: CALM.forMs } as const;
    const run = (group: 'ours' | 'theirs') => () => bench.crowd.tryRun({ ...pace, group });
    return takeTurns(turn, run('ours'), run('theirs'));
  };
  const ours: Point[] = [];
  const theirs: Point[] = [];
  for (const [i, perSecond] of SWEEP.entries()) {
    bench.say(`B8: ${perSecond} messages/s`);
    const [we, they] = await runBoth(i, perSecond);
    ours.push(pointOf(perSecond, we));
    theirs.push(pointOf(perSecond, they));
    if (![ours, theirs].some((points) => points.at(-1)?.survived)) break;
  }
  bench.plot([
    { name: 'Parley (durable)', points: ours },
    { name: 'Socket.IO + redis-adapter', points: theirs },
  ]);
  const pairs: Pair[] = [];
  for (let round = 0; round < bench.options.pairs; round++) {
    bench.say(`B8: round ${round + 1}`);
    const [we, they] = await runBoth(round, CALM.perSecond);
    pairs.push({ ours: lateness(we), theirs: lateness(they) });
  }
  return [
    ratioLine(pairs, {
      id: 'B8',
      what: `send to delivery p99 at ${CALM.perSecond} messages/s to ${CALM.spread.members} each, ${SERVERS} processes, against Socket.IO + redis-adapter`,
      unit: 'ms',
      target: { atMost: 0.15 },
      notes: [
        'a worker persists ours meanwhile; a round in which a send was refused or a delivery lost counts as endless',
      ],
    }),
    ...boundLines(ours, theirs),
  ];
};

/** What does not come is endlessly late. */
const lateness = ({ deliveryMs, refused, lost }: RunResult) =>
  refused + lost > 0 ? Number.POSITIVE_INFINITY : deliveryMs.p99;

type Point = Curve['points'][number];

const pointOf = (perSecond: number, { deliveryMs, ackMs, tookMs, refused, lost }: RunResult): Point => ({
  perSecond,
  p50: deliveryMs.p50,
  p95: deliveryMs.p95,
  p99: deliveryMs.p99,
  ackP95: ackMs.p95,
  survived: tookMs < CALM.forMs + SURVIVED_MS && refused + lost === 0,
});

/** The promised times, at every load that Socket.IO survives. */
function boundLines(ours: readonly Point[], theirs: readonly Point[]): Line[] {
  const held = ours.filter((_, i) => theirs[i]?.survived);
  const loads = held.map(({ perSecond }) => perSecond);
  const peer = `Socket.IO delivery ${Math.round(Math.max(...theirs.filter((one) => one.survived).map((one) => one.p95)))} ms`;
  const worst = (values: readonly number[], what: string, atMost: number): Line => {
    const measured = Math.max(...values);
    const estimate = { median: measured, low: measured, high: measured };
    const verdict = { is: measured <= atMost ? 'met' : 'open' } as const;
    return {
      id: 'B8',
      what: `${what} p95, the worst of ${loads.join(', ')} messages/s`,
      ours: `${figure(measured)} ms`,
      peer,
      measured: estimate,
      unit: 'ms',
      target: { atMost },
      rounds: 1,
      verdict,
      notes: [],
    };
  };
  if (held.length === 0) return [];
  return [
    worst(
      held.map(({ ackP95, survived }) => (survived ? ackP95 : Number.POSITIVE_INFINITY)),
      'send to answer',
      50,
    ),
    worst(
      held.map(({ p95, survived }) => (survived ? p95 : Number.POSITIVE_INFINITY)),
      'send to delivery',
      100,
    ),
  ];
}
