import { startRedis } from '@parley/testing';
import { cpuMicros } from '../cpu.ts';
import type { RunResult } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { startPeer } from '../peer.ts';
import { closeBoth, familyOf, ourGroup, takeTurns, theirGroup } from '../sides.ts';
import { StatementCount } from '../statements.ts';
import { median, type Pair } from '../statistics.ts';
import { type Measure, ratioLine } from './row.ts';

const SPREAD = { channels: 100, members: 10 };
const PACE = { perSecond: 2_000, forMs: 1_500 };
const WARM_UP = { perSecond: 100, forMs: 2_000 };

/** What the processes of one side have used so far, in microseconds, by what they are. */
interface Bill {
  readonly servers: number;
  readonly worker: number;
  readonly redis: number;
  readonly postgres: number;
}

/** B5: all that a send to ten costs until it is in Postgres: servers, worker, Redis and Postgres, the same append-only policy on both sides. */
export const measureWholeSend: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: 1, workers: 1 }));
  const { cluster } = parley;
  const redis = started.use(await startRedis({ appendonly: 'always', policy: 'noeviction' }));
  const env = { REDIS_URL: redis.url, DATABASE_URL: cluster.databaseUrl, MEMBERS: String(SPREAD.members) };
  const worker = started.use(await startPeer('plain-chat', { ...env, ROLE: 'worker' }));
  const server = started.use(await startPeer('plain-chat', { ...env, ROLE: 'server' }));
  const statements = started.use(await StatementCount.of(cluster.databaseUrl));
  await crowd.open(await ourGroup(parley, SPREAD));
  await crowd.open(theirGroup([server], SPREAD));
  started.defer(() => closeBoth(crowd));

  const postgres = () => cpuMicros(familyOf(cluster.postgres.pid).filter((pid) => pid !== statements.pid));
  const bills = {
    ours: (): Bill => ({
      servers: cpuMicros([parley.api(0).pid]),
      worker: cpuMicros(cluster.workers.map(({ pid }) => pid)),
      redis: cpuMicros([cluster.log.pid, cluster.cache.pid]),
      postgres: postgres(),
    }),
    theirs: (): Bill => ({
      servers: cpuMicros([server.pid]),
      worker: cpuMicros([worker.pid]),
      redis: cpuMicros([redis.pid]),
      postgres: postgres(),
    }),
  };
  const tables = { ours: 'messages', theirs: 'plain_messages' } as const;
  const spent: Record<'ours' | 'theirs', { bill: Bill; result: RunResult }[]> = { ours: [], theirs: [] };
  const run = async (group: 'ours' | 'theirs', pace: typeof PACE): Promise<number> => {
    const kept = await statements.messages(tables[group]);
    const before = bills[group]();
    const result = await crowd.run({ kind: 'paced', group, ...pace });
    await statements.kept(kept + result.messages, tables[group]);
    const after = bills[group]();
    const per = (key: keyof Bill) => (after[key] - before[key]) / result.messages;
    const bill = { servers: per('servers'), worker: per('worker'), redis: per('redis'), postgres: per('postgres') };
    spent[group].push({ bill, result });
    return bill.servers + bill.worker + bill.redis + bill.postgres;
  };
  for (const group of ['ours', 'theirs'] as const) {
    await run(group, WARM_UP);
    spent[group].length = 0;
  }
  const pairs: Pair[] = [];
  for (let round = 0; round < options.pairs; round++) {
    say(`B5: round ${round + 1}`);
    const [ours, theirs] = await takeTurns(
      round,
      () => run('ours', PACE),
      () => run('theirs', PACE),
    );
    pairs.push({ ours, theirs });
  }
  const parts = (group: 'ours' | 'theirs') =>
    (['servers', 'worker', 'redis', 'postgres'] as const)
      .map((key) => `${key} ${Math.round(median(spent[group].map(({ bill }) => bill[key])))}`)
      .join(', ');
  return [
    ratioLine(pairs, {
      id: 'B5',
      what: `a whole send to ${SPREAD.members} at ${PACE.perSecond} messages/s, persistence included, against the original design built plainly`,
      unit: 'µs/message',
      target: { atLeast: 3 },
      notes: [
        `ours: ${parts('ours')}; theirs: ${parts('theirs')}; AOF always on both sides, one server and one worker each, counted until every message is in Postgres`,
      ],
    }),
  ];
};
