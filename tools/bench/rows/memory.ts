import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { residentKiB } from '../cpu.ts';
import type { GroupSpec } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { startPeer } from '../peer.ts';
import { type Measure, side, valueLine } from './row.ts';

const COLLECT = fileURLToPath(new URL('../collect-on-signal.cjs', import.meta.url));
const MEMBERS = 100;
const CHANNELS_PER_USER = 10;
/** Connections that come between two readings: megabytes of noise want thousands of them. */
const STEP = { quick: 200, full: 600 };
const COLLECT_MS = 1_200;
const SETTLE_MAX_MS = 15_000;
/** Readings that differ by less are the same. */
const SAME = 0.005;

interface Contender {
  readonly name: string;
  readonly pid: number;
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
  const contenders: Contender[] = [
    { name: 'ours', pid: parley.api(0).pid, group: ours, readings: [] },
    { name: 'Socket.IO', pid: socketIo.pid, group: peerCrowd('socket-io', socketIo.port), readings: [] },
    { name: 'stock tRPC', pid: stock.pid, group: peerCrowd('trpc', stock.port), readings: [] },
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

/** Between all readings that lie far apart: single ones move by what the collector has not yet given back. */
function slopes(readings: readonly number[], step: number): number[] {
  const far = Math.ceil(readings.length / 2);
  return readings.flatMap((from, i) => readings.slice(i + far).map((to, j) => (to - from) / ((far + j) * step)));
}

/** Collects and reads until two readings agree: a busy thread collects late, and what it was told of is still to come. */
async function settledKiB(contenders: readonly Contender[]): Promise<number[]> {
  let last: number[] = [];
  for (const deadline = Date.now() + SETTLE_MAX_MS; Date.now() < deadline; ) {
    for (const { pid } of contenders) process.kill(pid, 'SIGUSR2');
    await sleep(COLLECT_MS);
    const now = contenders.map(({ pid }) => residentKiB(pid));
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
      subscribers: [parley.client(user, 0, { inbox: true })],
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
