import { createKeys } from '@parley/cache';
import { costOf, idleRate } from '../cost.ts';
import type { ClientSpec, GroupSpec } from '../crowd/orders.ts';
import { Parley } from '../parley.ts';
import { startPeer } from '../peer.ts';
import type { Line } from '../report.ts';
import { median } from '../statistics.ts';
import { type Bench, type Measure, ratioLine, side } from './row.ts';

const SIZES = [200, 1_000];
const DELIVERIES = { quick: 20_000, full: 60_000 };
/** Only as many ids as this: with more subscribers some share one, as users with the same feeds do. */
const REQUEST_IDS = 1_000;
/** A connection that sends faster than 200 frames a second is read more slowly. */
const SENDERS = 16;
const KEY_PREFIX = 'parley';
const MARKED = /~#\d{9}[^"]*/;
/** What a plain chat would send of a message, about 170 bytes. */
const BARE = '{"id":"1","channelId":"c0ffee00-0000-4000-8000-000000000001","body":"@@"}';

interface Contender {
  readonly name: 'ours' | 'floor' | 'bare floor' | 'stock';
  readonly pid: number;
  idle: number;
  readonly costs: number[];
}

/** B1 and B2: one message at a time to many subscribers of one channel; the measured process has nothing but the subscribers. */
export const measureDelivery: Measure = async (bench, wanted) => {
  await using parley = await Parley.start({ apis: 2, workers: 1 });
  const lines: Line[] = [];
  const crews: Crew[] = [];
  for (const size of SIZES) crews.push(await crewOf(parley, size));
  await parley.rest();
  for (const crew of crews) {
    bench.say(`B1, B2: ${sizeOf(crew.ours)} subscribers`);
    lines.push(...(await measureSize(bench, parley, crew)));
  }
  const inOrder = (a: Line, b: Line) => a.id.localeCompare(b.id);
  return lines.filter(({ id }) => wanted.some((row) => row === id)).sort(inOrder);
};

async function measureSize(bench: Bench, parley: Parley, { ours, triggers }: Crew): Promise<Line[]> {
  const size = sizeOf(ours);
  const { crowd, options } = bench;
  await using started = new AsyncDisposableStack();
  const messages = Math.round((options.quick ? DELIVERIES.quick : DELIVERIES.full) / size);
  await crowd.open(ours);
  started.defer(() => crowd.close('ours'));
  const { sampleFrame } = await crowd.run({ kind: 'one at a time', group: 'ours', messages: 20 });
  // The same bytes for the floor, and the same events for the stock adapter, as our subscribers get.
  const frame = sampleFrame.replace(MARKED, '@@');
  const REDIS_URL = parley.cluster.log.url;
  const peers = [
    { name: 'floor', dialect: 'plain', program: 'raw-ws', env: { FRAME: frame } },
    { name: 'bare floor', dialect: 'plain', program: 'raw-ws', env: { FRAME: BARE } },
    { name: 'stock', dialect: 'trpc', program: 'stock-trpc', env: { EVENT: eventOf(frame) } },
  ] as const;
  const contenders: Contender[] = [{ name: 'ours', pid: parley.api(0).pid, idle: 0, costs: [] }];
  for (const [i, { name, dialect, program, env }] of peers.entries()) {
    const peer = started.use(await startPeer(program, { ...env, REDIS_URL }));
    const { id = '', senders = [] } = triggers[i] ?? {};
    const subscribers = Array.from({ length: size }, (_, at) => ({
      port: peer.port,
      token: '',
      requestId: idAt(at, size),
    }));
    const topic = `${createKeys(KEY_PREFIX).stemOf(id)}win:${id}`;
    await crowd.open({ name, dialect, channels: [{ id: topic, subscribers, senders, sendTo: id }] });
    started.defer(() => crowd.close(name));
    contenders.push({ name, pid: peer.pid, idle: 0, costs: [] });
  }
  const warmUp = Math.round(messages / 2);
  for (const { name } of contenders) await crowd.run({ kind: 'one at a time', group: name, messages: warmUp });
  for (const contender of contenders) contender.idle = await idleRate([contender.pid], 1_200);
  for (let round = 0; round < options.pairs; round++) {
    // A B C D, then D C B A: what drifts within a round favours nobody in the end.
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const run = { kind: 'one at a time', group: contender.name, messages, awake: true } as const;
      const { micros, result } = await costOf([contender.pid], contender.idle, () => crowd.run(run));
      contender.costs.push(micros / result.deliveries);
    }
  }
  return linesOf(contenders, { size, frameBytes: sampleFrame.length });
}

/** Our subscribers, and for each peer a channel without feeds, whose publications it hears. */
interface Crew {
  readonly ours: GroupSpec;
  readonly triggers: readonly { readonly id: string; readonly senders: readonly ClientSpec[] }[];
}

async function crewOf(parley: Parley, size: number): Promise<Crew> {
  const members = await parley.users(size + SENDERS);
  const talkers = members.slice(size);
  const senders = talkers.map((user) => parley.client(user, 1));
  const id = await parley.channel(members);
  const triggers = await parley.channels([talkers, talkers, talkers]);
  const subscribers = members.slice(0, size).map((user, i) => parley.client(user, 0, { requestId: idAt(i, size) }));
  return {
    ours: { name: 'ours', dialect: 'trpc', channels: [{ id, subscribers, senders }] },
    triggers: triggers.map((trigger) => ({ id: trigger, senders })),
  };
}

const sizeOf = ({ channels }: GroupSpec) => channels[0]?.subscribers.length ?? 0;

const idAt = (i: number, size: number) => 1 + (Math.floor((i * REQUEST_IDS) / size) % REQUEST_IDS);

/** The event of a feed's frame, as JSON, with `@@` for its body. */
function eventOf(frame: string): string {
  const { result } = JSON.parse(frame) as { result: { data: { data: unknown } } };
  return JSON.stringify(result.data.data);
}

function linesOf(contenders: readonly Contender[], { size, frameBytes }: { size: number; frameBytes: number }): Line[] {
  const costs = (name: Contender['name']) => contenders.find((contender) => contender.name === name)?.costs ?? [];
  const pairsWith = (name: Contender['name']) =>
    costs('ours').map((ours, i) => ({ ours, theirs: costs(name)[i] ?? Number.NaN }));
  const unit = 'µs/delivery';
  const perSecond = (kept: Contender) => `${kept.name} ${Math.round(kept.idle * 1_000)}`;
  const bareRatio = median(pairsWith('bare floor').map(({ ours, theirs }) => ours / theirs));
  return [
    ratioLine(pairsWith('floor'), {
      id: 'B1',
      what: `delivery, ${size} subscribers, against raw ws with one shared frame`,
      unit,
      target: { atMost: 1.1 },
      notes: [
        `both write frames of ${frameBytes} bytes; with 170 bytes raw ws takes ${side(costs('bare floor'), unit)}, which makes it ${bareRatio.toFixed(2)}x`,
        'each is woken by the publication of a message that was sent to another api, which waits for nothing but Redis',
        'no worker runs meanwhile: its marks "persisted" would be deliveries of their own',
        'the clients do not sleep meanwhile: a write on the same machine wakes its reader, which is most of what it costs and nobody’s work',
        `idle, taken off, µs a second: ${contenders.map(perSecond).join(', ')}`,
      ],
    }),
    ratioLine(pairsWith('stock'), {
      id: 'B2',
      what: `delivery, ${size} subscribers, against the stock tRPC adapter`,
      unit,
      target: { atLeast: 3 },
      notes: ['the same events on both sides'],
    }),
  ];
}
