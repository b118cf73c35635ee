import { createKeys } from '@parley/cache';
import { LINE_VERSION, parseLine } from '@parley/domain';
import { type Check, examine, type Finding } from './finding.ts';
import type { PostgresFacts } from './postgres-facts.ts';
import type { Redis } from './redis-facts.ts';

/** What the log store and Postgres say of the same things. */
interface AgreementFacts {
  /** Partitions in which they name different epochs. */
  readonly apart: number;
  readonly restored: boolean;
  /** Entries that are not in Postgres yet. */
  readonly waiting: number;
  /** Age of the oldest, ms; 0 when none waits. */
  readonly oldestMs: number;
  /** Entries at the head of a partition that this version does not read. */
  readonly newer: number;
}

/** A worker that lives takes over after 250 ms. */
const STUCK_MS = 10_000;

const CHECKS: readonly Check<AgreementFacts>[] = [
  {
    name: 'restored',
    fault: ({ restored }) =>
      restored ? 'Postgres was restored from a copy, or replaced, since the newest epoch was opened' : null,
    cure: 'docs/restore.md says in which order to go on',
  },
  {
    name: 'epochs',
    fault: ({ apart }) => (apart > 0 ? `log store and Postgres name different epochs in ${apart} partitions` : null),
    cure: 'start an api or a worker: the first that meets it opens a new epoch; one that runs says in its log why it cannot',
  },
  {
    name: 'backlog',
    fault: ({ waiting, oldestMs }) =>
      oldestMs > STUCK_MS
        ? `${waiting} entries wait for Postgres, the oldest for ${Math.round(oldestMs / 1_000)} s: no worker drains them`
        : null,
    cure: 'npm run worker; one that runs says in its log why Postgres refuses them',
  },
  {
    name: 'newer-entries',
    fault: ({ newer }) => (newer > 0 ? `in ${newer} partitions an entry of a newer version waits` : null),
    cure: 'start workers of the newer version: they go before the apis (docs/upgrade.md)',
  },
];

/** What is wrong between the two. */
export async function agreementFindings(redis: Redis, prefix: string, postgres: PostgresFacts): Promise<Finding[]> {
  const { stems } = createKeys(prefix);
  const [seconds, micros] = await redis.time();
  const now = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const marks = await Promise.all(stems.map((stem) => redis.get(`${stem}epoch`)));
  const lengths = await Promise.all(stems.map((stem) => redis.xlen(`${stem}log`)));
  const oldest = await Promise.all(stems.map((stem) => redis.xrange(`${stem}log`, '-', '+', 'COUNT', 1)));
  const lines = oldest.flatMap(([entry]) => parseLine(entry?.[1][1] ?? '') ?? []);
  const isFresh = marks.every((mark) => mark === null) && postgres.epochs.every((epoch) => epoch === 0);
  return examine(CHECKS, {
    apart: isFresh ? 0 : marks.filter((mark, at) => mark !== String(postgres.epochs[at])).length,
    restored: postgres.restored,
    waiting: lengths.reduce((sum, length) => sum + length, 0),
    oldestMs: Math.max(0, ...lines.map(({ place }) => now - place.at)),
    newer: lines.filter(({ v }) => v > LINE_VERSION).length,
  });
}
