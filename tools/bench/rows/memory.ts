import { setTimeout as sleep } from 'node:timers/promises';
import type { AppProcess } from '../../../packages/testing/src/app-process.ts';
import { COLLECT, collected } from '../collected.ts';
import { residentKiB } from '../cpu.ts';
import type { GroupSpec } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { startPeer } from '../peer.ts';
import { slopes } from '../statistics.ts';
import { type Measure, side, valueLine } from './row.ts';

const MEMBERS = 100;
const CHANNELS_PER_USER = 10;
/** Connections that come between two readings: megabytes of noise want thousands of them. */
const STEP = { quick: 200, full: 600 };
const PAUSE_MS = 500;
const SETTLE_MAX_MS = 15_000;
/** Readings that differ by less are the same. */
const SAME = 0.005;

interface Contender {
  readonly name: string;
  readonly app: AppProcess;
  /** How many threads of it collect. */
  readonly threads: number;
  /** The connections from this number on, so many. */
  group(name: string, from: number, count: number): GroupSpec;
  readonly readings: number[];
}

/** B9: how much a process grows by each idle connection, garbage collected before each reading. */
export const measureMemory: Measure = async (bench) => {
  const { options } = bench;
  await using started = new AsyncDisposableStack();
  const env = { NODE_OPTIONS: `--require=${COLLECT}` };
  const parley = started.use(await Parley.start({ apis: 1, workers: 1, env }));
  const peerEnv = { ...env, REDIS_URL: parley.cluster.cache.url };
  const socketIo = started.use(await startPeer('socket-io', peerEnv));
  const stock = started.use(await startPeer('stock-trpc', peerEnv));
  bench.say('B9: users and channels');
  const step = options.quick ? STEP.quick : STEP.full;
  const ours = await ourCrowd(parley, step * (options.pairs + 1));
  await parley.rest();
  // A fresh process: the one that has set the scene holds on to some of the memory that it took.
  await parley.cluster.startApi();
  await parley.api(0).stop();
  const contenders: Contender[] = [
    { name: 'ours', app: parley.api(1), threads: 2, group: ours, readings: [] },
    { name: 'Socket.IO', app: socketIo, threads: 1, group: peerCrowd('socket-io', socketIo.port), readings: [] },
    { name: 'stock tRPC', app: stock, threads: 1, group: peerCrowd('trpc', stock.port), readings: [] },
  ];
  // The first step also pays for code that is compiled and pools that are filled: readings begin behind it.
  for (let round = 0; round <= options.pairs; round++) {
    bench.say(`B9: ${(round + 1) * step} connections`);
    const from = round * step;
    for (const { name, group } of contenders) await bench.crowd.open(group(`${name} ${from}`, from, step));
    const resident = await settledKiB(contenders);
    for (const [i, { readings }] of contenders.entries()) readings.push(resident[i] ?? Number.NaN);
  }
  for (const { name } of contenders) {
    for (let round = 0; round <= options.pairs; round++) await bench.crowd.close(`${name} ${round * step}`);
  }
  const [we, ...they] = contenders.map(({ name, readings }) => ({ name, readings, perOne: slopes(readings, step) }));
  return [
    valueLine(we?.perOne ?? [], {
      id: 'B9',
      what: `memory of an idle connection with inbox and one channel feed, its user in ${CHANNELS_PER_USER} channels`,
      unit: 'KiB',
      target: { atMost: 18 },
      peer: they.map(({ name, perOne }) => `${name} ${side(perOne, 'KiB')}`).join(', '),
      notes: [
        `slope of the resident set over ${options.pairs + 1} readings up to ${step * (options.pairs + 1)} connections, all garbage collected before each; peers have one room or one subscription, and no users`,
        `MiB resident at each reading: ${[we, ...they].map((one) => one?.readings.map((kib) => Math.round(kib / 1_024)).join(' ')).join(' / ')}`,
      ],
    }),
  ];
};

/** Collects and reads until two readings agree: what a connection has set off may still be going on. */
async function settledKiB(contenders: readonly Contender[]): Promise<number[]> {
  let last: number[] = [];
  for (const deadline = Date.now() + SETTLE_MAX_MS; Date.now() < deadline; ) {
    await sleep(PAUSE_MS);
    await Promise.all(contenders.map(collected));
    const now = contenders.map(({ app }) => residentKiB(app.pid));
    if (now.every((kib, i) => Math.abs(kib - (last[i] ?? 0)) < kib * SAME)) return now;
    last = now;
  }
  return last;
}

/** Users of whom each is in ten channels of a hundred, and looks at one of them. */
async function ourCrowd(parley: Parley, size: number): Promise<Contender['group']> {
  const users = await parley.users(size);
  const groups = Array.from({ length: CHANNELS_PER_USER }, (_, shift) =>
    Array.from({ length: size / MEMBERS }, (__, k) =>
      Array.from({ length: MEMBERS }, (___, i) => users[(k * MEMBERS + shift * 10 + i) % size] ?? ''),
    ),
  ).flat();
  const ids = await parley.channels(groups);
  return (name, from, count) => ({
    name,
    dialect: 'trpc',
    channels: users.slice(from, from + count).map((user, i) => ({
      id: ids[Math.floor((from + i) / MEMBERS)] ?? '',
      subscribers: [parley.client(user, 1, { inbox: true })],
      senders: [],
    })),
  });
}

function peerCrowd(dialect: 'socket-io' | 'trpc', port: number): Contender['group'] {
  return (name, from, count) => ({
    name,
    dialect,
    channels: Array.from({ length: count }, (_, i) => ({
      id: `room-${Math.floor((from + i) / MEMBERS)}`,
      subscribers: [{ port, token: '', requestId: 1 }],
      senders: [],
    })),
  });
}
