import { randomUUID } from 'node:crypto';
import { CallLine } from '../call-line.ts';
import { Parley } from '../parley.ts';
import { RedisLine } from '../redis-line.ts';
import type { Line } from '../report.ts';
import { StatementCount } from '../statements.ts';
import { quantile } from '../statistics.ts';
import { type Measure, valueLine } from './row.ts';

const CHANNELS = 50;
const MEMBERS = 10;
const MESSAGES = 25;
const CALLS = { quick: 50, full: 200 };

/** A call as often as it is wanted; each may differ from the last. */
interface Call {
  readonly name: string;
  /** The original documents' own figure, ms. */
  readonly original: string;
  make(calls: CallLine): Promise<unknown>;
}

/** B11: how long the calls take that a client makes all the time, and what they ask of Postgres when nothing is cached. */
export const measureCalls: Measure = async ({ options, say }) => {
  await using parley = await Parley.start({ apis: 1, workers: 1 });
  await using statements = await StatementCount.of(parley.cluster.databaseUrl);
  say(`B11: a user with ${CHANNELS} channels`);
  const [ada = '', ...others] = await parley.users(MEMBERS);
  const ids = await parley.channels(Array.from({ length: CHANNELS }, () => [ada, ...others]));
  const [channelId = ''] = ids;
  for (const id of ids) await parley.call(others[0] ?? '', 'message.send', message(id, 0));
  const sent: { position: string }[] = [];
  for (let i = 1; i <= MESSAGES; i++) {
    sent.push((await parley.call(others[0] ?? '', 'message.send', message(channelId, i))) as { position: string });
  }
  await statements.kept(CHANNELS + MESSAGES);
  let turn = 0;
  const calls: readonly Call[] = [
    {
      name: `channel.list of ${CHANNELS}`,
      original: '100 to 150',
      make: (line) => line.call('query', 'channel.list', { limit: CHANNELS }),
    },
    {
      name: 'message.page of 20',
      original: '100',
      make: (line) => line.call('query', 'message.page', { channelId, limit: 20 }),
    },
    {
      name: 'receipt.read',
      original: '15',
      make: (line) =>
        line.call('mutation', 'receipt.read', { channelId, position: sent[turn++ % sent.length]?.position }),
    },
    {
      name: 'presence.get of 10',
      original: '8',
      make: (line) => line.call('query', 'presence.get', { userIds: [ada, ...others] }),
    },
  ];
  return [...(await warm(parley, calls, options)), await cold(parley, calls, { ada, statements })];

  async function warm(stack: Parley, all: readonly Call[], { quick, pairs }: typeof options): Promise<Line[]> {
    const line = await CallLine.open(stack.client(ada, 0));
    const lines: Line[] = [];
    for (const { name, original, make } of all) {
      const values: number[] = [];
      for (let round = -1; round < pairs; round++) {
        const times: number[] = [];
        for (let i = 0; i < (quick ? CALLS.quick : CALLS.full); i++) {
          const began = performance.now();
          await make(line);
          times.push(performance.now() - began);
        }
        if (round >= 0) values.push(quantile(times, 0.95)); // The first round fills the caches.
      }
      const peer = `the original documents: ${original} ms`;
      lines.push(valueLine(values, { id: 'B11', what: `${name}, p95`, unit: 'ms', target: { atMost: 10 }, peer }));
    }
    line.close();
    return lines;
  }
};

/** A process that has seen nothing, and an empty cache store: the most SQL statements that one of the calls takes. */
async function cold(
  parley: Parley,
  calls: readonly Call[],
  { ada, statements }: { ada: string; statements: StatementCount },
): Promise<Line> {
  const counts: { name: string; count: number }[] = [];
  for (const { name, make } of calls) {
    const api = await parley.cluster.startApi();
    const line = await CallLine.open({ port: api.port, token: parley.client(ada, 0).token, requestId: 1 });
    await line.call('query', 'user.me');
    const redis = await RedisLine.connect(parley.cluster.cache.port);
    await redis.ask('FLUSHALL');
    redis.close();
    // What workers ask by themselves in these milliseconds counts, too: that only makes the figure worse.
    await statements.reset();
    await make(line);
    counts.push({ name, count: await statements.read() });
    line.close();
    await api.stop();
  }
  const most = Math.max(...counts.map(({ count }) => count));
  return {
    id: 'B11',
    what: 'SQL statements of one cold call, the most of the four',
    ours: counts.map(({ name, count }) => `${name}: ${count}`).join(', '),
    peer: null,
    measured: { median: most, low: most, high: most },
    unit: '',
    target: { atMost: 2 },
    rounds: 1,
    verdict: { is: most <= 2 ? 'met' : 'open' },
    notes: ['a fresh process and an empty cache store for each call'],
  };
}

const message = (channelId: string, i: number) => ({ channelId, clientMsgId: randomUUID(), body: `message ${i}` });
