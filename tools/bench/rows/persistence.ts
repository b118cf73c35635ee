import { Parley } from '../parley.ts';
import { StatementCount } from '../statements.ts';
import { median } from '../statistics.ts';
import { type Measure, valueLine } from './row.ts';

const CHANNELS = 10;
const IN_FLIGHT = 64;
const MESSAGES = { quick: 3_000, full: 6_000 };
/** The target was set for this pace: at a slower one a batch has fewer messages. */
const PACE_PER_SECOND = 2_000;

/** B7: SQL statements per 1,000 messages, 64 sends in flight over 10 channels, until all of them are persisted. */
export const measureStatements: Measure = async ({ crowd, options, say }) => {
  await using parley = await Parley.start({ apis: 1, workers: 1 });
  const users = await parley.users(IN_FLIGHT);
  const groups = Array.from({ length: CHANNELS }, (_, c) => users.filter((__, i) => i % CHANNELS === c));
  const ids = await parley.channels(groups);
  await crowd.open({
    name: 'ours',
    dialect: 'trpc',
    channels: groups.map((members, c) => ({
      id: ids[c] ?? '',
      subscribers: [],
      senders: members.map((user) => parley.client(user, 0)),
    })),
  });
  say(`B7: ${IN_FLIGHT} in flight`);
  await using statements = await StatementCount.of(parley.cluster.databaseUrl);
  const messages = options.quick ? MESSAGES.quick : MESSAGES.full;
  const burst = () => crowd.run({ kind: 'in flight', group: 'ours', messages, inFlight: IN_FLIGHT });
  await burst();
  let kept = messages;
  const counts: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < options.pairs; round++) {
    await statements.kept(kept);
    await statements.reset();
    const { tookMs } = await burst();
    kept += messages;
    await statements.kept(kept);
    counts.push((await statements.read()) / (messages / 1_000));
    rates.push((messages * 1_000) / tookMs);
  }
  await crowd.close('ours');
  const rate = median(rates);
  const slow = rate < PACE_PER_SECOND ? `; the target is meant for ${PACE_PER_SECOND} or more` : '';
  return [
    valueLine(counts, {
      id: 'B7',
      what: `SQL statements per 1,000 messages, ${IN_FLIGHT} in flight, ${CHANNELS} channels`,
      unit: '',
      target: { atMost: 12 },
      peer: 'an INSERT a message: 1000',
      notes: [
        `at ${Math.round(rate)} messages/s${slow}; everything that pg_stat_statements counted until all were persisted`,
      ],
    }),
  ];
};
