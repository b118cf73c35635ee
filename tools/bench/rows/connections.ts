import { costOf, idleRate } from '../cost.ts';
import type { GroupSpec } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import type { Pair } from '../statistics.ts';
import { type Measure, ratioLine } from './row.ts';

const PER_CHANNEL = 200;
const CHANNELS = { quick: 10, full: 50 };
const MESSAGES = { quick: 60, full: 200 };
const SENDERS = 4;

/** B10: what a delivery costs a process with very many connections, against the same program with few; a third process takes the sends. */
export const measureConnections: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: 3, workers: 1 }));
  const channels = options.quick ? CHANNELS.quick : CHANNELS.full;
  say(`B10: ${channels * PER_CHANNEL} users`);
  const users = await parley.users(channels * PER_CHANNEL + (channels + 1) * SENDERS);
  const senders = users.splice(channels * PER_CHANNEL);
  const sendersOf = (c: number) => senders.slice(c * SENDERS, (c + 1) * SENDERS);
  const groups = Array.from({ length: channels }, (_, c) => users.slice(c * PER_CHANNEL, (c + 1) * PER_CHANNEL));
  const ids = await parley.channels([...groups, groups[0] ?? []].map((group, c) => [...sendersOf(c), ...group]));
  await parley.rest();
  const group = (name: string, api: number, [from, to]: readonly [number, number]): GroupSpec => ({
    name,
    dialect: 'trpc',
    channels: ids.slice(from, to).map((id, c) => ({
      id,
      subscribers: (groups[c] ?? []).map((user, i) => parley.client(user, api, { requestId: 1 + i * 5 })),
      senders: sendersOf(from + c).map((user) => parley.client(user, 2)),
    })),
  });
  const sides = [
    { name: 'many', pid: parley.api(0).pid, spec: group('many', 0, [0, channels]) },
    { name: 'few', pid: parley.api(1).pid, spec: group('few', 1, [channels, channels + 1]) },
  ] as const;
  const messages = options.quick ? MESSAGES.quick : MESSAGES.full;
  const idle = new Map<string, number>();
  for (const { name, spec } of sides) {
    await crowd.open(spec);
    started.defer(() => crowd.close(name));
    await crowd.run({ kind: 'one at a time', group: name, messages });
  }
  for (const { name, pid } of sides) idle.set(name, await idleRate([pid], 2_000));
  const cost = async ({ name, pid }: (typeof sides)[number]) => {
    const run = { kind: 'one at a time', group: name, messages } as const;
    const { micros, result } = await costOf([pid], idle.get(name) ?? 0, () => crowd.run(run));
    return micros / result.deliveries;
  };
  const pairs: Pair[] = [];
  for (let round = 0; round < options.pairs; round++) {
    say(`B10: round ${round + 1}`);
    const [many, few] = sides;
    const [first, second] = round % 2 === 0 ? [many, few] : [few, many];
    const costs = { [first.name]: await cost(first), [second.name]: await cost(second) };
    pairs.push({ ours: costs.many ?? Number.NaN, theirs: costs.few ?? Number.NaN });
  }
  return [
    ratioLine(pairs, {
      id: 'B10',
      what: `delivery with ${channels * PER_CHANNEL} connections on one process (channels of ${PER_CHANNEL}), against one with ${PER_CHANNEL}`,
      unit: 'µs/delivery',
      target: { atMost: 1.3 },
      notes: [
        `idle, taken off, µs a second: ${sides.map(({ name }) => `${name} ${Math.round((idle.get(name) ?? 0) * 1_000)}`).join(', ')}`,
      ],
    }),
  ];
};
