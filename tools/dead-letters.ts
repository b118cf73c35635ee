/**
 * `npm run dead-letters [-- list | show ID | redrive ID… | discard ID…]`: what nobody could do, log entries that Postgres refused
 * (`log:<partition>/<epoch>-<k>`) and jobs that failed for the last time (`<kind>:<job>`). `all` stands for every one of them.
 * Exit code 0 when everything that was asked is done, 1 when something is not, 2 when a store could not be read.
 */
import type { DeadLetterId } from '@parley/domain';
import type { DeadJob } from '@parley/queue';
import { putBack } from './dead-letters/put-back.ts';
import { openStores, type Stores } from './dead-letters/stores.ts';

const LISTED_MAX = 1_000;

const [command = 'list', ...given] = process.argv.slice(2);

/** `log:12/1764000000-34`, or null for the id of a job. */
function entryId(id: string): DeadLetterId | null {
  const found = /^log:(\d+)\/(\d+)-(\d+)$/.exec(id);
  return found && { partition: Number(found[1]), epoch: Number(found[2]), k: Number(found[3]) };
}

const nameOf = ({ partition, epoch, k }: DeadLetterId) => `log:${partition}/${epoch}-${k}`;

/** A job's own id may have colons, its kind has none. */
function jobId(id: string): [kind: string, id: string] {
  const colon = id.indexOf(':');
  return [id.slice(0, colon), id.slice(colon + 1)];
}

async function list({ store, jobs }: Stores): Promise<{ id: string; at: number; reason: string }[]> {
  const [letters, dead] = await Promise.all([store.housekeeping.deadLetters(LISTED_MAX), jobs.list(LISTED_MAX)]);
  return [
    ...letters.map((letter) => ({ id: nameOf(letter), at: letter.at, reason: letter.reason })),
    ...dead.map((job: DeadJob) => ({ id: `${job.kind}:${job.id}`, at: job.failedAt, reason: job.reason })),
  ].sort((a, b) => b.at - a.at);
}

async function show({ store, jobs }: Stores, id: string): Promise<string> {
  const entry = entryId(id);
  if (!entry) {
    const job = await jobs.find(...jobId(id));
    if (!job) throw new Error('there is no such dead letter');
    return JSON.stringify(job, null, 2);
  }
  const letter = await store.housekeeping.deadLetter(entry);
  if (!letter) throw new Error('there is no such dead letter');
  return JSON.stringify({ ...letter, line: Buffer.from(letter.line).toString() }, null, 2);
}

async function redrive(stores: Stores, id: string): Promise<string> {
  const entry = entryId(id);
  if (!entry) {
    if (await stores.jobs.retry(...jobId(id))) return 'is tried again';
    throw new Error('there is no such dead letter');
  }
  const letter = await stores.store.housekeeping.deadLetter(entry);
  if (!letter) throw new Error('there is no such dead letter');
  return putBack(stores, letter);
}

async function discard({ store, jobs }: Stores, id: string): Promise<string> {
  const entry = entryId(id);
  const gone = entry ? await store.housekeeping.discardDeadLetter(entry) : await jobs.discard(...jobId(id));
  if (!gone) throw new Error('there is no such dead letter');
  return 'is discarded';
}

const WORK = { show, redrive, discard };

async function main(): Promise<void> {
  await using stores = await openStores(process.env);
  if (command === 'list') {
    const found = await list(stores);
    for (const { id, at, reason } of found) console.log(`${new Date(at).toISOString()}  ${id}  ${reason}`);
    console.log(`${found.length} dead letters`);
    return;
  }
  const work = command in WORK ? WORK[command as keyof typeof WORK] : null;
  if (!work || given.length === 0)
    throw new Error('usage: npm run dead-letters [-- list | show ID | redrive ID… | discard ID…]');
  const ids = given.includes('all') ? (await list(stores)).map(({ id }) => id) : given;
  for (const id of ids) {
    try {
      const said = await work(stores, id);
      console.log(command === 'show' ? said : `${id} ${said}`);
    } catch (error) {
      process.exitCode = 1;
      console.error(`${id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
