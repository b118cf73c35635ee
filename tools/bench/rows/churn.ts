import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiProcess } from '../../../packages/testing/src/cluster.ts';
import { COLLECT, collected } from '../collected.ts';
import { metricsOf } from '../metrics-of.ts';
import { Parley } from '../parley.ts';
import { RedisLine } from '../redis-line.ts';
import { slopes } from '../statistics.ts';
import { type Measure, valueLine } from './row.ts';

const GROUPS = 20;
const PER_GROUP = { quick: 50, full: 500 };
const MINUTES = { quick: 2, full: 10 };
/** A twentieth of all connections goes and comes back each minute. */
const EVERY_MS = 60_000;
const GONE_MAX_MS = 60_000;
const LOOKS = 7;
/** Share of all who must be there at the end. */
const PRESENT_MIN = 0.95;
const LOOK_EVERY_MS = 500;
/** Connections, maps and listeners, as the process itself counts them. */
const GAUGES = [
  'socket_connections',
  'socket_unidentified',
  'hub_channels',
  'hub_listeners',
  'ephemeral_channels',
  'ephemeral_topics',
  'ephemeral_users',
] as const;
const THREADS = 2;
/** Of what a connection that is open takes (B9), a twentieth. */
const KEPT_KIB_MAX = 1;

/** S2: whether a process with very many connections, of which some leave and others come all the time, keeps anything of those who left. */
export const measureChurn: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  // To collect everything stops a thread, on a busy machine for longer than one that stalls is borne with.
  const env = { NODE_OPTIONS: `--require=${COLLECT}`, THREAD_STALL_MS: '0' };
  const parley = started.use(await Parley.start({ apis: 1, workers: 1, env }));
  const size = options.quick ? PER_GROUP.quick : PER_GROUP.full;
  const all = size * GROUPS;
  say(`S2: ${all} users`);
  const users = await parley.users(all);
  const groups = Array.from({ length: GROUPS }, (_, g) => users.slice(g * size, (g + 1) * size));
  const ids = await parley.channels(groups);
  await parley.rest();
  await parley.cluster.startApi();
  await parley.api(0).stop();
  const api = parley.api(1);
  const open = (g: number) =>
    crowd.open({
      name: `S2 ${g}`,
      dialect: 'trpc',
      channels: [
        {
          id: ids[g] ?? '',
          subscribers: (groups[g] ?? []).map((user) => parley.client(user, 1, { inbox: true })),
          senders: [],
        },
      ],
    });
  started.defer(() => say(`S2: the api said: ${warningsOf(api)}`));
  const heap = () => collected({ app: api, threads: THREADS });
  const count = await counter(parley, api);
  started.defer(() => count.close());
  const before = await heap();
  // A process listens to some topics for itself.
  const own = await count();
  for (let g = 0; g < GROUPS; g++) await open(g);
  const readings: number[] = [];
  const minutes = options.quick ? MINUTES.quick : MINUTES.full;
  for (let minute = 0; minute <= minutes; minute++) {
    const next = sleep(EVERY_MS);
    // The same users as before, or what is kept of everybody once, such as that he exists, would look like a leak.
    const g = minute % GROUPS;
    await crowd.close(`S2 ${g}`);
    await open(g);
    await sleep(EVERY_MS / 2);
    readings.push(await heap());
    say(`S2: minute ${minute}: ${((readings.at(-1) ?? 0) / 1_048_576).toFixed(2)} MiB`);
    if (minute < minutes) await next;
  }
  const full = await count();
  // What never rose would be found at nothing, too. On a busy machine some of the feeds of a minute may have been refused.
  const most = all * PRESENT_MIN;
  if (full.socket_connections < most || full.hub_listeners < 2 * most || full.subscriptions < most) {
    throw new Error(`not everybody is counted: ${told(full)}`);
  }
  for (let g = 0; g < GROUPS; g++) await crowd.close(`S2 ${g}`);
  const left = await leftOf(count, own);
  const after = await heap();
  const what = `${all} connections on one process, a twentieth of them new each minute`;
  return [
    valueLine(
      // The first minute still fills what is kept for everybody.
      slopes(readings.slice(1), size).map((bytes) => bytes / 1_024),
      {
        id: 'S2',
        what: `${what}: memory that grows for each one that left, over ${minutes} min`,
        unit: 'KiB',
        target: { atMost: KEPT_KIB_MAX },
        notes: [
          `slopes between readings that lie at least half the time apart of what all threads have in use, garbage collected`,
          `MiB in use each minute: ${readings.map(mib).join(' ')}; before the first came ${mib(before)}, after the last had left ${mib(after)}`,
        ],
      },
    ),
    valueLine(
      left.map((counts) => sumOf(counts) - sumOf(own)),
      {
        id: 'S2',
        what: `${what}: connections, listeners, maps and subscriptions left when all are gone`,
        unit: '',
        target: { atMost: 0 },
        notes: [
          `when all are there: ${told(full)}`,
          `before the first came, and so not counted as left: ${told(own)}`,
          `when all are gone, read ${LOOKS} times: ${told(left.at(-1) ?? own)}`,
        ],
      },
    ),
  ];
};

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);

/** What it printed beside that it has collected. */
function warningsOf(api: ApiProcess): string {
  const lines = api.output().split('\n');
  return lines.filter((line) => line !== '' && !line.includes('has collected')).join('\n');
}

type Counts = Record<(typeof GAUGES)[number] | 'subscriptions', number>;

/** Counts what the process holds for its connections: by its own word, and subscriptions by that of the two Redis. */
async function counter(parley: Parley, api: ApiProcess) {
  const lines = await Promise.all(
    [parley.cluster.log, parley.cluster.cache].map(({ port }) => RedisLine.connect(port)),
  );
  const count = async (): Promise<Counts> => {
    const topics = await Promise.all(lines.map((line) => line.ask('PUBSUB', 'CHANNELS')));
    const subscriptions = topics.flatMap((text) => text.split(' ').filter(Boolean)).length;
    return { ...(await metricsOf(api, GAUGES)), subscriptions };
  };
  const close = () => {
    for (const line of lines) line.close();
  };
  return Object.assign(count, { close });
}

/** What is there, again and again, from when it is no more than a process has of its own, or has had long enough to become that. */
async function leftOf(count: () => Promise<Counts>, own: Counts): Promise<Counts[]> {
  for (const deadline = performance.now() + GONE_MAX_MS; performance.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    if (sumOf(await count()) <= sumOf(own)) break;
  }
  const looks: Counts[] = [];
  for (; looks.length < LOOKS; await sleep(LOOK_EVERY_MS)) looks.push(await count());
  return looks;
}

const sumOf = (counts: Counts): number => Object.values(counts).reduce((sum, value) => sum + value, 0);

const told = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
