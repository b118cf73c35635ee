/**
 * What an accept costs the log store, against a PING of the same client in the same run (target B6): a real Redis for each way of
 * flushing, 64 in flight, 200 channels of 10 members, messages of about 280 bytes. Runs are interleaved; the medians are printed.
 *
 *     node --conditions=@parley/source tools/bench-accept.ts [--runs 7] [--messages 20000] [--fsync no,everysec,always] [name=script.lua …]
 *
 * Each `name=script.lua` is one more accept script, measured beside the product's own.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { FakeLedger, FakeSource, keys, type Node, startNode } from '../packages/cache/test/rig.ts';
import { startRedis } from '../packages/testing/src/index.ts';

const IN_FLIGHT = 64;
const CHANNELS = 200;
const MEMBERS = 10;
/** Of B6, in PINGs. */
const TARGETS = { no: 4.2, everysec: 5.2, always: 7 };
type Fsync = keyof typeof TARGETS;

interface Channel {
  readonly channelId: string;
  readonly userIds: readonly string[];
}

interface Figures {
  /** CPU of the log store's process for one operation, microseconds. */
  readonly redisUs: number;
  /** What its commands took, as the log store counts it: without reading and writing sockets. */
  readonly commandUs: number;
  readonly nodeUs: number;
  readonly perSecond: number;
}

interface Case {
  readonly name: string;
  readonly command: string;
  run(node: Node, channels: readonly Channel[]): (i: number) => Promise<unknown>;
}

function draft({ channelId, userIds }: Channel, i: number) {
  const [messageId, clientMsgId] = [randomUUID(), randomUUID()];
  const senderId = userIds[i % MEMBERS] ?? '';
  const body = 'The quick brown fox jumps over the lazy dog, and then it sleeps for as long as the sun is up. '.slice(
    0,
    90,
  );
  const json = `{"id":"${messageId}","channelId":"${channelId}","clientMsgId":"${clientMsgId}","senderId":"${senderId}","body":"${body}"}`;
  return { channelId, senderId, clientMsgId, messageId, json };
}

/** Of a plain client: a write and a read each. The log store's own sends what one turn has to say in one write. */
const ping: Case = { name: 'ping', command: 'ping', run: (node) => () => node.redis.ping() };

/** A script that takes the place of the product's. */
function accept(name: string, script?: { text: string; sha: string }): Case {
  return {
    name,
    command: 'evalsha',
    run: (node, channels) => {
      if (script) Object.assign(node.epochs.current.scripts.accept, script);
      return async (i) => {
        const verdict = await node.log.accept(draft(channels[i % CHANNELS] as Channel, i));
        if (verdict.type !== 'accepted') throw new Error(`${name}: ${verdict.type}`);
      };
    },
  };
}

async function cpuOf(node: Node): Promise<number> {
  const field = (text: string, name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  const info = await node.redis.info('cpu');
  return (field(info, 'used_cpu_user') + field(info, 'used_cpu_sys')) * 1e6;
}

async function measure(
  node: Node,
  one: Case,
  options: { count: number; channels: readonly Channel[] },
): Promise<Figures> {
  const work = one.run(node, options.channels);
  await node.redis.config('RESETSTAT');
  const [before, own, from] = [await cpuOf(node), process.cpuUsage(), performance.now()];
  let next = 0;
  const lane = async () => {
    while (next < options.count) await work(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const [took, { user, system }] = [performance.now() - from, process.cpuUsage(own)];
  const redisUs = ((await cpuOf(node)) - before) / options.count;
  const stats = await node.redis.info('commandstats');
  const commandUs = Number(new RegExp(`cmdstat_${one.command}:.*?usec_per_call=([\\d.]+)`).exec(stats)?.[1]);
  return { redisUs, commandUs, nodeUs: (user + system) / options.count, perSecond: options.count / (took / 1_000) };
}

/** As a worker would: the log is empty most of the time. */
async function drain(node: Node): Promise<void> {
  const pipeline = node.redis.pipeline();
  for (const stem of keys.stems) pipeline.xtrim(`${stem}log`, 'MAXLEN', 0);
  await pipeline.exec();
  const dedupe = await node.redis.keys('*:dd:*');
  if (dedupe.length > 0) await node.redis.unlink(dedupe);
  const windows = await node.redis.keys('*:win:*');
  const trims = node.redis.pipeline();
  for (const window of windows) trims.xtrim(window, 'MAXLEN', 200);
  await trims.exec();
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function compare(fsync: Fsync, options: { runs: number; count: number; scripts: readonly string[] }) {
  await using server = await startRedis({ appendonly: fsync });
  const ledger = new FakeLedger();
  const source = new FakeSource(ledger);
  const channels = Array.from({ length: CHANNELS }, (): Channel => {
    const userIds = Array.from({ length: MEMBERS }, () => randomUUID());
    return { channelId: source.add(userIds), userIds };
  });
  await using node = await startNode({ url: server.url, ledger, source, backlogMaxEntries: 1_000_000 });
  await node.epochs.run();
  for (const { channelId } of channels) await node.log.load(channelId);
  const { epoch, server: identity, scripts } = node.epochs.current;
  const own = { ...scripts.accept };
  const cases = [ping, accept('accept', own)];
  for (const named of options.scripts) {
    const [name = '', path = ''] = named.split('=');
    const text = filled(readFileSync(path, 'utf8'), { own: own.text, epoch, replid: identity.replicationId });
    cases.push(accept(name, { text, sha: String(await node.redis.script('LOAD', text)) }));
  }
  const figures = new Map<string, Figures[]>(cases.map(({ name }) => [name, []]));
  for (let run = -1; run < options.runs; run++) {
    for (const one of cases) {
      const found = await measure(node, one, { count: options.count, channels });
      await drain(node);
      // The first round warms both sides up.
      if (run >= 0) figures.get(one.name)?.push(found);
    }
  }
  report(fsync, figures);
}

function filled(text: string, known: { own: string; epoch: number; replid: string }): string {
  const constants: Record<string, string | number> = {
    EPOCH: known.epoch,
    REPLID: known.replid,
    LINE_VERSION: 1,
    LEAST_RANK: 2,
    BACKLOG_MAX: 1_000_000,
    ANSWER_TTL_S: 3_600,
    MENTIONS_MAX: 200,
  };
  return text.replace(/__([A-Z_]+?)__/g, (_, name: string) => String(constants[name]));
}

function report(fsync: Fsync, figures: ReadonlyMap<string, readonly Figures[]>): void {
  const pings = figures.get('ping') ?? [];
  for (const [name, runs] of figures) {
    const of = (pick: (run: Figures) => number) => median(runs.map(pick));
    const ratio = median(runs.map((run, i) => run.redisUs / (pings[i]?.redisUs ?? Number.NaN)));
    console.log(
      [
        fsync.padEnd(9),
        name.padEnd(14),
        `redis ${of((run) => run.redisUs).toFixed(2)} us`.padEnd(16),
        `command ${of((run) => run.commandUs).toFixed(2)} us`.padEnd(18),
        `node ${of((run) => run.nodeUs).toFixed(1)} us`.padEnd(14),
        `${Math.round(of((run) => run.perSecond) / 1_000)}k/s`.padEnd(7),
        `${ratio.toFixed(2)}x PING (target ${TARGETS[fsync]})`,
      ].join('  '),
    );
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '7' },
    messages: { type: 'string', default: '20000' },
    fsync: { type: 'string', default: 'no,everysec,always' },
  },
});
for (const fsync of values.fsync.split(',') as Fsync[]) {
  await compare(fsync, { runs: Number(values.runs), count: Number(values.messages), scripts: positionals });
}
