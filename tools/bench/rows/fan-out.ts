import { costOf, idleRate, type Round } from '../cost.ts';
import type { GroupSpec, RunSpec } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { type Peer, startPeer } from '../peer.ts';
import type { Line } from '../report.ts';
import { closeBoth, ourGroup, theirGroup } from '../sides.ts';
import { median } from '../statistics.ts';
import { type Bench, type Measure, ratioLine } from './row.ts';

interface Shape {
  readonly subscribers: number;
  readonly channels: number;
  readonly perSecond: number;
  readonly atLeast: number;
}

/** The crowds of the prototype: 1,000 connections in channels of 10, 100 and 1,000. */
const SHAPES: readonly Shape[] = [
  { subscribers: 10, channels: 100, perSecond: 500, atLeast: 1.3 },
  { subscribers: 100, channels: 10, perSecond: 150, atLeast: 1.5 },
  { subscribers: 1_000, channels: 1, perSecond: 20, atLeast: 1.8 },
];
const CONNECTIONS = 1_000;
const SERVERS = 2;
const ROUND_MS = { quick: 1_000, full: 1_800 };
/** Servers run for days: what they are measured at is code that has been compiled, on both sides. */
const WARM_UP = { quick: { ms: 1_000, faster: 1 }, full: { ms: 6_000, faster: 2 } };

/** B3: two server processes and Redis between them; the subscribers themselves send, at a steady pace. */
export const measureFanOut: Measure = async (bench) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: SERVERS, workers: 1 }));
  const env = { REDIS_URL: parley.cluster.cache.url };
  const starting = Array.from({ length: SERVERS }, () => startPeer('socket-io', env));
  const peers = (await Promise.all(starting)).map((peer) => started.use(peer));
  const users = await parley.users(CONNECTIONS);
  const ours: GroupSpec[] = [];
  for (const shape of SHAPES) ours.push(await ourGroup(parley, spreadOf(shape), users));
  await parley.rest();
  const lines: Line[] = [];
  for (const [i, shape] of SHAPES.entries()) {
    const group = ours[i];
    if (!group) continue;
    bench.say(`B3: ${shape.channels} channels of ${shape.subscribers}`);
    lines.push(await measureShape(bench, { shape, parley, peers, ours: group }));
  }
  return lines;
};

interface Sides {
  readonly shape: Shape;
  readonly parley: Parley;
  readonly peers: readonly Peer[];
  readonly ours: GroupSpec;
}

async function measureShape({ crowd, options }: Bench, { shape, parley, peers, ours }: Sides): Promise<Line> {
  const theirs = theirGroup(peers, spreadOf(shape));
  await crowd.open(ours);
  await crowd.open(theirs);
  const sides = [
    { group: 'ours', pids: parley.cluster.apis.map(({ pid }) => pid), redis: parley.cluster.log.pid },
    { group: 'theirs', pids: peers.map(({ pid }) => pid), redis: parley.cluster.cache.pid },
  ].map((side) => ({ ...side, idle: 0, rounds: [] as Round[], redisMicros: [] as number[] }));
  const paced = (group: string, forMs: number, faster = 1): RunSpec => ({
    kind: 'paced',
    group,
    perSecond: shape.perSecond * faster,
    forMs,
  });
  const { ms, faster } = options.quick ? WARM_UP.quick : WARM_UP.full;
  for (const { group } of sides) await crowd.run(paced(group, ms, faster));
  for (const side of sides) side.idle = await idleRate(side.pids, 3_000);
  const forMs = options.quick ? ROUND_MS.quick : ROUND_MS.full;
  for (let round = 0; round < options.pairs; round++) {
    for (const { group, pids, idle, rounds, redis, redisMicros } of round % 2 === 0 ? sides : [...sides].reverse()) {
      const redisRound = costOf([redis], 0, async () => {
        const kept = await costOf(pids, idle, () => crowd.run(paced(group, forMs)));
        rounds.push(kept);
        return kept.result;
      });
      const { micros, result } = await redisRound;
      redisMicros.push(micros / result.messages);
    }
  }
  await closeBoth(crowd);
  const [we, they] = sides;
  if (!we || !they) throw new Error('a side is missing');
  const cost = ({ micros, result }: Round) => micros / result.deliveries;
  const pairs = we.rounds.map((round, i) => {
    const other = they.rounds[i];
    return { ours: cost(round), theirs: other ? cost(other) : Number.NaN };
  });
  return ratioLine(pairs, {
    id: 'B3',
    what: `${shape.channels} × ${shape.subscribers} subscribers, ${shape.perSecond} messages/s, 2 processes, against Socket.IO + redis-adapter`,
    unit: 'µs/delivery',
    target: { atLeast: shape.atLeast },
    notes: [
      'ours durable (AOF always), theirs not; frames of ' +
        `${we.rounds[0]?.result.frameBytes} and ${they.rounds[0]?.result.frameBytes} bytes; Redis, not counted, µs a message: ` +
        `${Math.round(median(we.redisMicros))} and ${Math.round(median(they.redisMicros))}`,
      `idle, taken off, µs a second: ${sides.map(({ idle }) => Math.round(idle * 1_000)).join(' and ')}`,
      `send to delivery p95, ms: ${we.rounds.map(p95).join(' ')} and ${they.rounds.map(p95).join(' ')}`,
    ],
  });
}

const spreadOf = ({ channels, subscribers }: Shape) => ({ channels, members: subscribers });
const p95 = ({ result }: Round) => result.deliveryMs.p95.toFixed(1);
