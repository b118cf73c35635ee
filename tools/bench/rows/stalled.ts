import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentKiB } from '../cpu.ts';
import { Parley } from '../parley.ts';
import { StalledReader } from '../stalled-reader.ts';
import { median } from '../statistics.ts';
import { type Measure, side, valueLine } from './row.ts';

const READERS = 1_000;
const STALLED = 100;
const PER_SECOND = 20;
const FOR_MS = { quick: 4_000, full: 10_000 };
/** Long texts to those who read nothing: what the system takes for them by itself is megabytes. */
const FLOOD_BODY = 'x'.repeat(2_000);
const FLOOD_PAUSE_MS = 5;
const STALL_MS = { quick: 10_000, full: 20_000 };
const MEGABYTES_MAX = 150;
const LATER_MS_MAX = 2;
const LATER_SHARE_MAX = 0.1;

/** S1: readers that keep up, beside others that read nothing while much is written to them. */
export const measureStalled: Measure = async ({ crowd, options, say }) => {
  await using started = new AsyncDisposableStack();
  const parley = started.use(await Parley.start({ apis: 2, workers: 1 }));
  say(`S1: ${READERS + STALLED} users`);
  const [talker = '', flooder = '', ...others] = await parley.users(READERS + STALLED + 2);
  const readers = others.slice(0, READERS);
  const stalled = others.slice(READERS);
  const [id = '', flooded = ''] = await parley.channels([
    [talker, ...readers],
    [flooder, ...stalled],
  ]);
  const subscribers = readers.map((user) => parley.client(user, 0));
  await crowd.open({
    name: 'S1',
    dialect: 'trpc',
    channels: [{ id, subscribers, senders: [parley.client(talker, 1)] }],
  });
  started.defer(() => crowd.close('S1'));
  const { pid } = parley.api(0);
  const forMs = options.quick ? FOR_MS.quick : FOR_MS.full;
  const talk = async () =>
    (await crowd.run({ kind: 'paced', group: 'S1', perSecond: PER_SECOND, forMs })).deliveryMs.p95;
  await talk();
  const pairs: { without: number; beside: number; megabytes: number; cuts: number }[] = [];
  for (let round = 0; round < options.pairs; round++) {
    say(`S1: round ${round + 1}`);
    const without = await talk();
    const before = residentKiB(pid);
    const crew = stalled.map((user) => new StalledReader(parley.client(user, 0), flooded));
    const flood = floodWhile(parley, flooder, flooded);
    await sleep(options.quick ? STALL_MS.quick : STALL_MS.full);
    const beside = await talk();
    const megabytes = (residentKiB(pid) - before) / 1_024;
    await flood();
    for (const reader of crew) reader[Symbol.dispose]();
    pairs.push({ without, beside, megabytes, cuts: crew.reduce((sum, { cuts }) => sum + cuts, 0) });
    await sleep(2_000);
  }
  const without = pairs.map((pair) => pair.without);
  const what = `${STALLED} readers who read nothing beside ${READERS} who do`;
  const atMost = Math.max(LATER_MS_MAX, median(without) * LATER_SHARE_MAX);
  return [
    valueLine(
      pairs.map(({ megabytes }) => megabytes),
      { id: 'S1', what: `${what}: memory`, unit: 'MB', target: { atMost: MEGABYTES_MAX } },
    ),
    valueLine(
      pairs.map((pair) => pair.beside - pair.without),
      {
        id: 'S1',
        what: `${what}: how much later p95 of those who read`,
        unit: 'ms',
        target: { atMost },
        peer: `without them ${side(without, 'ms')}`,
        notes: [
          `stalled readers closed in a round: ${pairs.map(({ cuts }) => cuts).join(' ')}; each comes back at once`,
        ],
      },
    ),
  ];
};

/** Sends long texts one after the other, by another node; gives what ends it. */
function floodWhile(parley: Parley, userId: string, channelId: string): () => Promise<void> {
  let isOver = false;
  const flood = (async () => {
    while (!isOver) {
      const body = { channelId, clientMsgId: randomUUID(), body: FLOOD_BODY };
      await parley.call({ userId, at: 1 }, 'message.send', body);
      await sleep(FLOOD_PAUSE_MS);
    }
  })();
  return async () => {
    isOver = true;
    await flood;
  };
}
