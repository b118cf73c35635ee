import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Generator, startArtillery } from './artillery.ts';
import { coresBetween, type Usage, usageOf } from './cpu-use.ts';
import { judgeFlatness } from './flatness.ts';
import { type Level, levelOf } from './levels.ts';
import type { Options } from './options.ts';
import { pageOf, type Report } from './page.ts';
import { takePicture } from './picture.ts';
import { progressOf } from './progress.ts';
import { bottleneck, disturbance, judge } from './promises.ts';
import { parseRecording, type Recording, totalsOf } from './recording.ts';
import type { Scenario } from './scenario.ts';
import { cacheUse, scrape } from './scrape.ts';
import { givenTarget, startTarget, type Target, verifyTarget } from './stack.ts';

/** One run, as it was asked for. */
interface Order {
  readonly options: Options;
  readonly scenario: Scenario;
  /** At the same time. */
  readonly connections: number;
  readonly say: (line: string) => void;
}

/** Looking costs the machine that is measured; in a long run it need not be done so often, nor said. */
const LOOKS = { short: { everyMs: 2_000, saySeconds: 5 }, long: { everyMs: 15_000, saySeconds: 60 } };
const LONG_S = 900;
/** How long it may take until nobody is missed who has left. */
const EMPTY_MS = 15_000;

/** Makes the run and writes its page and JSON. Throws when there is nothing to judge. Ctrl-C ends it, with all that it started. */
export async function run(order: Order): Promise<Report> {
  const stopped = new AbortController();
  const stop = () => stopped.abort(new Error('it was stopped'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  try {
    return await runUntil(order, stopped.signal);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

async function runUntil(order: Order, stopped: AbortSignal): Promise<Report> {
  const { options, scenario, connections, say } = order;
  say(
    options.url ? `loading ${options.url}` : 'starting a stack of its own: Postgres, two Redis servers, worker, api …',
  );
  await using target = options.url ? givenTarget(options.url, options.ops) : await startTarget();
  const dir = mkdtempSync(join(tmpdir(), 'parley-load-'));
  try {
    const pulse = join(dir, 'pulse.jsonl');
    say(`making ${scenario.variables.users} users and their channels …`);
    stopped.throwIfAborted();
    const before = await levelOf(target, 0);
    const generator = startArtillery(options.scenario, scenario, { url: target.url, pulse });
    stopped.addEventListener('abort', () => generator.child.kill('SIGTERM'));
    const { recording, cores, warm, levels } = await watch(order, { generator, target, pulse });
    stopped.throwIfAborted();
    if (recording.beats.length === 0) throw new Error(`Artillery did not come to its first user:\n${generator.text()}`);
    const after = await scrape(target.ops);
    const isSoak = options.scenario === 'soak';
    const soak = isSoak
      ? { before, during: levels, after: await levelWhenEmpty(target, recording.beats.length) }
      : null;
    say('holding the log against Postgres (npm run verify) …');
    const kept = await verifyTarget(target);
    stopped.throwIfAborted();
    const totals = totalsOf(recording.beats);
    const caches = warm === null || after === null ? null : cacheUse(warm, after);
    const { scenario: name, quick } = options;
    const report: Report = {
      scenario: name,
      at: new Date().toISOString(),
      machine: machineText(),
      settings: target.settings,
      phases: scenario.phases,
      connections,
      verdicts: [
        ...judge({ scenario: name, quick, connections, totals, outcome: recording.outcome, caches, kept }),
        ...(soak ? judgeFlatness(soak, scenario.phases) : []),
      ],
      warnings: [bottleneck(totals), disturbance(cores.map(({ used }) => used))].filter((text) => text !== null),
      totals,
      outcome: recording.outcome,
      caches,
      beats: recording.beats,
      cores,
      levels,
    };
    if (recording.outcome === null) say(generator.text().split('\n').slice(-40).join('\n'));
    await write(order, report);
    return report;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Looks now and then at what the generator has written and at what the processes use, until the generator ends. */
async function watch(
  { options, scenario, say }: Order,
  { generator, target, pulse }: { generator: Generator; target: Target; pulse: string },
): Promise<{ recording: Recording; cores: Report['cores']; levels: Level[]; warm: string | null }> {
  const roots = { ...target.pids, generator: [generator.child.pid ?? 0] };
  const cores: { second: number; used: Readonly<Record<string, number>> }[] = [];
  const levels: Level[] = [];
  const { everyMs, saySeconds } = scenario.variables.seconds > LONG_S ? LOOKS.long : LOOKS.short;
  const warmAt = scenario.phases[0]?.duration ?? 0;
  let usage: Usage | null = null;
  let warm: string | null = null;
  let said = 0;
  const end = new AbortController();
  const ended = generator.ended.finally(() => end.abort());
  while (!end.signal.aborted) {
    await sleep(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
    const { beats } = readRecording(pulse);
    if (beats.length === 0) continue;
    const now = usageOf(roots);
    if (now && usage && !end.signal.aborted) cores.push({ second: beats.length, used: coresBetween(usage, now) });
    usage = now;
    if (options.scenario === 'soak') levels.push(await levelOf(target, beats.length));
    if (beats.length >= warmAt) warm ??= await scrape(target.ops);
    if (beats.length < said + saySeconds) continue;
    said = beats.length;
    say(progressOf(beats, scenario.phases));
  }
  await ended;
  return { recording: readRecording(pulse), cores, levels, warm };
}

/** What is held once everybody who left is gone, or time is over. */
async function levelWhenEmpty(target: Target, second: number): Promise<Level> {
  for (const deadline = Date.now() + EMPTY_MS; ; await sleep(500)) {
    const level = await levelOf(target, second);
    if (!level.listeners || Date.now() > deadline) return level;
  }
}

function readRecording(path: string): Recording {
  return parseRecording(existsSync(path) ? readFileSync(path, 'utf8') : '');
}

async function write({ options, say }: Order, report: Report): Promise<void> {
  const base = resolve(options.out, options.scenario);
  mkdirSync(resolve(options.out), { recursive: true });
  writeFileSync(`${base}.html`, pageOf(report));
  writeFileSync(`${base}.json`, `${JSON.stringify(report)}\n`);
  say(`the page: ${base}.html`);
  if (options.picture === null) return;
  const problem = await takePicture(`${base}.html`, resolve(options.picture));
  say(problem ?? `the picture: ${resolve(options.picture)}`);
}

function machineText(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${gib} GiB, Node ${process.versions.node}`;
}
