import type { StormResult } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { StatementCount } from '../statements.ts';
import { median } from '../statistics.ts';
import { type Measure, valueLine } from './row.ts';

const SERVERS = 2;
const PER_CHANNEL = 80;
const CHANNELS = { quick: 13, full: 125 };
/** What only the statement that reads a channel's history says. */
const HISTORY = 'as expired';
const FLOW = { perSecond: 50, forMs: 6_000, cutAfterMs: 1_000 };

/** B12: every client's socket is cut at once while messages flow; each comes back where it was, as fast as the servers let it in. */
export const measureStorm: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: SERVERS, workers: 1 }));
  const statements = started.use(await StatementCount.of(parley.cluster.databaseUrl));
  const channels = options.quick ? CHANNELS.quick : CHANNELS.full;
  say(`B12: ${channels * PER_CHANNEL} users`);
  const users = await parley.users(channels * (PER_CHANNEL + 1));
  const groups = Array.from({ length: channels }, (_, c) =>
    users.slice(c * (PER_CHANNEL + 1), (c + 1) * (PER_CHANNEL + 1)),
  );
  const ids = await parley.channels(groups);
  await crowd.open({
    name: 'ours',
    dialect: 'trpc',
    channels: groups.map(([sender = '', ...others], c) => ({
      id: ids[c] ?? '',
      subscribers: others.map((user, i) => parley.client(user, i % SERVERS)),
      senders: [parley.client(sender, c % SERVERS)],
    })),
  });
  started.defer(() => crowd.close('ours'));
  const storms: StormResult[] = [];
  const reads: number[] = [];
  for (let round = 0; round < options.pairs; round++) {
    say(`B12: storm ${round + 1}`);
    await statements.reset();
    storms.push(await crowd.storm({ group: 'ours', ...FLOW }));
    reads.push((await statements.read(HISTORY)) / channels);
  }
  const refused = storms.reduce((sum, { run }) => sum + run.refused, 0);
  const what = `${channels * PER_CHANNEL} clients cut at once, ${SERVERS} processes`;
  return [
    valueLine(
      storms.map(({ allCaughtUpMs }) => allCaughtUpMs / 1_000),
      {
        id: 'B12',
        what: `${what}: all back and caught up`,
        unit: 's',
        target: { atMost: 20 },
        notes: [
          `all back after ${median(storms.map(({ allBackMs }) => allBackMs / 1_000)).toFixed(1)} s; sends answered with "try again": ${refused} of ${storms.reduce((sum, { run }) => sum + run.messages, 0)}`,
        ],
      },
    ),
    valueLine(
      storms.map(({ run }) => run.lost + run.doubled + run.disordered),
      { id: 'B12', what: `${what}: deliveries lost, doubled or out of order`, unit: '', target: { atMost: 0 } },
    ),
    valueLine(reads, {
      id: 'B12',
      what: `${what}: reads of what a channel has missed in Postgres, for each channel`,
      unit: '',
      target: { atMost: 1 },
    }),
  ];
};
