import type { ApiProcess } from '../../../packages/testing/src/cluster.ts';
import { residentKiB } from '../cpu.ts';
import type { RunResult, Times } from '../crowd/orders.ts';
import type { Crowd } from '../crowd.ts';
import { Flood } from '../flood.ts';
import { metricsOf } from '../metrics-of.ts';
import { Parley } from '../parley.ts';
import type { Line } from '../report.ts';
import { takeTurns } from '../sides.ts';
import { StalledReader } from '../stalled-reader.ts';
import { median } from '../statistics.ts';
import { until } from '../until.ts';
import { type Measure, side, valueLine } from './row.ts';

const READERS = 1_000;
const STALLED = 100;
const PER_SECOND = 20;
/** The system takes 4 MB for each who reads nothing before it says that it is full: at this pace in about ten seconds. */
const FLOOD_PER_SECOND = 100;
/** Longer than a full reader is borne with (10 s, DOOR-12), so that his end and his return are in what is measured. */
const TALK_MS = 14_000;
const QUIET_MS = 5_000;
/** What a feed leaves waiting for a reader before it stops to write (DOOR-12). */
const FULL_BYTES = 65_536;
const LOOK_EVERY_MS = 250;
const MEGABYTES_MAX = 150;
const LATER_MS_MAX = 2;
const LATER_SHARE_MAX = 0.1;

interface Scene {
  readonly api: ApiProcess;
  readonly crew: readonly StalledReader[];
  readonly flood: Flood;
  talk(forMs: number): Promise<RunResult>;
}

/** What was seen in one half of a round. */
interface Turn {
  /** Of those who read, whatever the others do. */
  readonly deliveryMs: Times;
  readonly peakKiB: number;
  /** What waited in the process for all readers when the talk began. */
  readonly waitingBytes: number;
  readonly flooded: number;
  /** Sockets closed because their readers were too slow, by the server's count. */
  readonly cuts: number;
}

interface Round {
  readonly read: Turn;
  readonly stalled: Turn;
}

/**
 * S1: readers who keep up, beside a hundred others to whom much is written. In one half of a round those read all of it, in the other they
 * read nothing: so the flood's own cost is on both sides, and what differs is the full sockets, their end, and that they all come back.
 */
export const measureStalled: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: 2, workers: 1 }));
  say(`S1: ${READERS + STALLED} users`);
  const [talker = '', flooder = '', ...others] = await parley.users(READERS + STALLED + 2);
  const [id = '', flooded = ''] = await parley.channels([
    [talker, ...others.slice(0, READERS)],
    [flooder, ...others.slice(READERS)],
  ]);
  const talk = await openTalk(crowd, parley, { id, talker, readers: others.slice(0, READERS) });
  started.defer(() => crowd.close('S1'));
  await talk(QUIET_MS);
  const quiet = await talk(QUIET_MS);
  const crew = others.slice(READERS).map((user) => started.use(new StalledReader(parley.client(user, 0), flooded)));
  const flood = started.use(
    new Flood(parley, { userId: flooder, at: 1, channelId: flooded, perSecond: FLOOD_PER_SECOND }),
  );
  const scene: Scene = { api: parley.api(0), crew, flood, talk };
  const rounds: Round[] = [];
  for (let round = 0; round < options.pairs; round++) {
    const [read, stalled] = await takeTurns(
      round,
      () => readingTurn(scene),
      () => stalledTurn(scene),
    );
    rounds.push({ read, stalled });
    const p95 = [read, stalled].map(({ deliveryMs }) => deliveryMs.p95.toFixed(1)).join(' and ');
    say(`S1: round ${round + 1}: p95 ${p95} ms, ${stalled.cuts} closed`);
  }
  return linesOf(rounds, quiet.deliveryMs);
};

async function openTalk(
  crowd: Crowd,
  parley: Parley,
  { id, talker, readers }: { id: string; talker: string; readers: readonly string[] },
): Promise<Scene['talk']> {
  const subscribers = readers.map((user) => parley.client(user, 0));
  const channels = [{ id, subscribers, senders: [parley.client(talker, 1)] }];
  await crowd.open({ name: 'S1', dialect: 'trpc', channels });
  return (forMs) => crowd.run({ kind: 'paced', group: 'S1', perSecond: PER_SECOND, forMs });
}

/** Everybody reads. */
function readingTurn(scene: Scene): Promise<Turn> {
  for (const reader of scene.crew) reader.read();
  return takeTurn(scene, {
    before: () =>
      until(
        'they have read all of it',
        async () => scene.crew.every(({ isOpen }) => isOpen) && (await waitingBytes(scene.api)) < FULL_BYTES,
      ),
    after: async () => undefined,
  });
}

/** The hundred read nothing: the talk begins when all of their sockets are full. */
async function stalledTurn(scene: Scene): Promise<Turn> {
  await until('all are subscribed', () => scene.crew.every(({ isOpen }) => isOpen));
  for (const reader of scene.crew) reader.stall();
  const turn = await takeTurn(scene, {
    before: () =>
      until('the sockets are full', async () => (await waitingBytes(scene.api)) >= scene.crew.length * FULL_BYTES),
    after: () => until('each of them was closed', () => scene.crew.every(({ cuts }) => cuts > 0)),
  });
  return checkStalled(turn, scene.crew.length);
}

/** A round in which those who read nothing were borne with says nothing about them. */
export function checkStalled<Seen extends { readonly cuts: number }>(seen: Seen, stalled: number): Seen {
  if (seen.cuts >= stalled) return seen;
  throw new Error(`${seen.cuts} sockets were closed as too slow, where ${stalled} read nothing`);
}

async function takeTurn(
  { api, flood, talk }: Scene,
  { before, after }: { before: () => Promise<void>; after: () => Promise<void> },
): Promise<Turn> {
  const cutsBefore = await slowCuts(api);
  const floodedBefore = flood.accepted;
  let peakKiB = 0;
  const watch = setInterval(() => {
    peakKiB = Math.max(peakKiB, residentKiB(api.pid));
  }, LOOK_EVERY_MS);
  try {
    await before();
    const waiting = await waitingBytes(api);
    const { deliveryMs } = await talk(TALK_MS);
    await after();
    if (flood.failure) throw flood.failure;
    const cuts = (await slowCuts(api)) - cutsBefore;
    return { deliveryMs, peakKiB, waitingBytes: waiting, flooded: flood.accepted - floodedBefore, cuts };
  } finally {
    clearInterval(watch);
  }
}

const waitingBytes = async (api: ApiProcess) => (await metricsOf(api, ['socket_buffered_bytes'])).socket_buffered_bytes;
const slowCuts = async (api: ApiProcess) => (await metricsOf(api, ['socket_slow_cuts_total'])).socket_slow_cuts_total;

function linesOf(rounds: readonly Round[], quiet: Times): Line[] {
  const each = (say: (round: Round) => string | number) => rounds.map(say).join(' ');
  const without = rounds.map(({ read }) => read.deliveryMs.p95);
  const what = `${STALLED} readers who read nothing beside ${READERS} who do`;
  const atMost = Math.max(LATER_MS_MAX, median(without) * LATER_SHARE_MAX);
  const mib = (bytes: number) => (bytes / 1_048_576).toFixed(1);
  return [
    valueLine(
      rounds.map(({ read, stalled }) => (stalled.peakKiB - read.peakKiB) / 1_024),
      {
        id: 'S1',
        what: `${what}: memory`,
        unit: 'MB',
        target: { atMost: MEGABYTES_MAX },
        notes: [
          `the process at its largest while the ${STALLED} read nothing, against while they read, under the same flood: ${FLOOD_PER_SECOND} texts of 2,048 bytes a second to each; what the system holds for them, 4 MB each, is no process'`,
          `MB at most, reading and not: ${each(({ read, stalled }) => `${Math.round(read.peakKiB / 1_024)}/${Math.round(stalled.peakKiB / 1_024)}`)}; waiting in the process for full sockets: ${each(({ stalled }) => mib(stalled.waitingBytes))}`,
        ],
      },
    ),
    valueLine(
      rounds.map(({ read, stalled }) => stalled.deliveryMs.p95 - read.deliveryMs.p95),
      {
        id: 'S1',
        what: `${what}: how much later p95 of those who read`,
        unit: 'ms',
        target: { atMost },
        peer: `when all read ${side(without, 'ms')}`,
        notes: [
          `stalled readers closed in each round, by the server's count: ${each(({ stalled }) => stalled.cuts)} (of those who read: ${each(({ read }) => read.cuts)}); each comes back within a second or two, where he was, and stalls again`,
          `the same flood in both halves of a round; texts of it accepted: ${each(({ read, stalled }) => `${read.flooded}/${stalled.flooded}`)}`,
          `p99 when all read, ms: ${each(({ read }) => read.deliveryMs.p99.toFixed(1))}; beside the stalled: ${each(({ stalled }) => stalled.deliveryMs.p99.toFixed(1))}; without a flood: p95 ${quiet.p95.toFixed(1)}, p99 ${quiet.p99.toFixed(1)}`,
        ],
      },
    ),
  ];
}
