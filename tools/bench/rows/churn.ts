import { setTimeout as sleep } from 'node:timers/promises';
import { COLLECT, collected } from '../collected.ts';
import { residentKiB } from '../cpu.ts';
import { Parley } from '../parley.ts';
import { type Measure, valueLine } from './row.ts';

const GROUPS = 20;
const PER_GROUP = { quick: 50, full: 500 };
const MINUTES = { quick: 1, full: 10 };
/** A twentieth of all connections goes and comes back each minute. */
const EVERY_MS = 60_000;
/** Connections, maps of the hub, and listeners, as the process itself counts them. */
const GAUGES = ['socket_connections', 'hub_channels', 'hub_listeners', 'ephemeral_channels'];
const THREADS = 2;
const GROWTH_MAX = 0.05;

/** S2: whether a process with very many connections, of which some leave and others come all the time, keeps anything of those who left. */
export const measureChurn: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const env = { NODE_OPTIONS: `--require=${COLLECT}` };
  const parley = started.use(await Parley.start({ apis: 1, workers: 1, env }));
  const size = options.quick ? PER_GROUP.quick : PER_GROUP.full;
  say(`S2: ${size * GROUPS} users`);
  const users = await parley.users(size * GROUPS);
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
  for (let g = 0; g < GROUPS; g++) await open(g);
  const readings: number[] = [];
  const minutes = options.quick ? MINUTES.quick : MINUTES.full;
  for (let minute = 0; minute <= minutes; minute++) {
    // The first minutes' caches are still filling; the same group goes and comes once a round.
    const g = minute % GROUPS;
    await crowd.close(`S2 ${g}`);
    await open(g);
    await sleep(EVERY_MS / 2);
    await collected({ app: api, threads: THREADS });
    readings.push(residentKiB(api.pid) / 1_024);
    say(`S2: minute ${minute}: ${Math.round(readings.at(-1) ?? 0)} MiB`);
    if (minute < minutes) await sleep(EVERY_MS / 2);
  }
  for (let g = 0; g < GROUPS; g++) await crowd.close(`S2 ${g}`);
  await sleep(5_000);
  const scrape = await (await fetch(`http://127.0.0.1:${api.opsPort}/metrics`)).text();
  const left = GAUGES.map((name) => Number(new RegExp(`^parley_${name} (\\d+)`, 'm').exec(scrape)?.[1] ?? Number.NaN));
  const [first = 0] = readings;
  const what = `${size * GROUPS} connections on one process, a twentieth of them new each minute`;
  return [
    valueLine(
      readings.slice(1).map((mib) => mib / first),
      {
        id: 'S2',
        what: `${what}: memory against the first minute, over ${minutes} min`,
        unit: 'x',
        target: { atMost: 1 + GROWTH_MAX },
        notes: [`MiB resident, garbage collected: ${readings.map((mib) => Math.round(mib)).join(' ')}`],
      },
    ),
    valueLine([left.reduce((sum, value) => sum + value, 0)], {
      id: 'S2',
      what: `${what}: what is left of all of them when they are gone`,
      unit: '',
      target: { atMost: 0 },
      notes: [GAUGES.map((name, i) => `${name} ${left[i]}`).join(', ')],
    }),
  ];
};
