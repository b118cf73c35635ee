import { cpuMicros } from '../cpu.ts';
import { Parley } from '../parley.ts';
import { type Command, record, renewed, workOff } from '../recorded-calls.ts';
import { RedisLine } from '../redis-line.ts';
import type { Line } from '../report.ts';
import type { Pair } from '../statistics.ts';
import { type Bench, type Measure, ratioLine } from './row.ts';

const CHANNELS = 100;
const MEMBERS = 10;
/** Each has one command under way, so that Redis meets every one by itself, however busy the machine is. */
const CONNECTIONS = 64;
const MESSAGES = { quick: 3_000, full: 8_000 };
const POLICIES = [
  { name: 'AOF always', config: ['appendfsync', 'always'], atMost: 7 },
  { name: 'AOF everysec', config: ['appendfsync', 'everysec'], atMost: 5.2 },
  { name: 'AOF off', config: ['appendonly', 'no'], atMost: 4.2 },
] as const;

/** What an api told Redis for one message, and the ids in it that are that message's own. */
interface Accept {
  readonly command: Command;
  readonly ids: readonly string[];
}

/** B6: what the log store works for one accepted message, against a PING. The calls are those that a real api made, with other ids. */
export const measureAccept: Measure = async (bench) => {
  await using parley = await Parley.start({ apis: 1, workers: 1 });
  const { accepts, perSend } = await recordAccepts(bench, parley);
  const { port, pid } = parley.cluster.log;
  const lines = await Promise.all(Array.from({ length: CONNECTIONS }, () => RedisLine.connect(port)));
  const [redis] = lines;
  if (!redis) throw new Error('Redis let nobody in');
  const table: Line[] = [];
  // A rewrite of the file in the middle of a round would be on its bill.
  await redis.ask('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
  for (const { name, config, atMost } of POLICIES) {
    bench.say(`B6: ${name}`);
    await redis.ask('CONFIG', 'SET', ...config);
    const pairs = await measurePairs(bench, { lines, accepts, pid });
    table.push(
      ratioLine(pairs, {
        id: 'B6',
        what: `Redis CPU of one accept, ${name}, against PING, ${CONNECTIONS} round trips at once`,
        unit: 'µs',
        target: { atMost },
        notes: [`commands on the log store that name the channel: ${perSend.toFixed(2)} a send`],
      }),
    );
  }
  for (const line of lines) line.close();
  return table;
};

async function recordAccepts({ crowd }: Bench, parley: Parley): Promise<{ accepts: Accept[]; perSend: number }> {
  const users = await parley.users(CHANNELS * MEMBERS);
  const groups = Array.from({ length: CHANNELS }, (_, c) => users.slice(c * MEMBERS, (c + 1) * MEMBERS));
  const ids = await parley.channels(groups);
  await parley.rest();
  await crowd.open({
    name: 'ours',
    dialect: 'trpc',
    channels: ids.map((id, c) => ({ id, subscribers: [], senders: [parley.client(groups[c]?.[0] ?? '', 0)] })),
  });
  const once = { kind: 'one at a time', group: 'ours', messages: CHANNELS } as const;
  await crowd.run(once); // Loads the headers.
  const commands = await record(parley.cluster.log.port, () => crowd.run(once));
  await crowd.close('ours');
  const ofChannels = commands.filter((command) => ids.some((id) => command.some((word) => word.includes(id))));
  const accepts = ofChannels.flatMap((command) => {
    const payload = command.find((word) => word.startsWith('{') && word.includes('~#'));
    if (!payload) return [];
    const message = JSON.parse(payload) as { id: string; clientMsgId: string };
    return [{ command, ids: [message.id, message.clientMsgId] }];
  });
  if (accepts.length !== CHANNELS) throw new Error(`${accepts.length} accepts were seen of ${CHANNELS}`);
  return { accepts, perSend: ofChannels.length / CHANNELS };
}

async function measurePairs(
  { options }: Bench,
  { lines, accepts, pid }: { lines: readonly RedisLine[]; accepts: readonly Accept[]; pid: number },
): Promise<Pair[]> {
  const count = options.quick ? MESSAGES.quick : MESSAGES.full;
  const cost = async (commands: readonly Command[], expected: RegExp) => {
    const before = cpuMicros([pid]);
    await workOff(lines, { commands, expected });
    return (cpuMicros([pid]) - before) / commands.length;
  };
  const ping = () =>
    cost(
      Array.from({ length: count }, () => ['PING']),
      /^PONG$/,
    );
  const accept = () => {
    const all = Array.from({ length: count }, (_, i) => accepts[i % accepts.length]);
    const commands = all.flatMap((one) => (one ? [renewed(one.command, one.ids)] : []));
    return cost(commands, /^accepted /);
  };
  await ping();
  await accept();
  const pairs: Pair[] = [];
  for (let round = 0; round < options.pairs; round++) {
    const [first, second] = round % 2 === 0 ? [accept, ping] : [ping, accept];
    const [one, other] = [await first(), await second()];
    pairs.push(round % 2 === 0 ? { ours: one, theirs: other } : { ours: other, theirs: one });
  }
  return pairs;
}
