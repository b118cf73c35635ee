import type { Beat, Outcome } from '../../load-tests/virtual-users/pulse.ts';
import type { Level } from './levels.ts';
import { escapeHtml, figureOf, type Plot } from './plot.ts';
import { LIMITS, ms, percent, type Verdict } from './promises.ts';
import { percentileOf, type Totals } from './recording.ts';
import type { Phase } from './scenario.ts';
import type { CacheUse } from './scrape.ts';

/** Everything that a run's page shows, and its JSON holds. */
export interface Report {
  readonly scenario: string;
  /** ISO time of its end. */
  readonly at: string;
  readonly machine: string;
  /** What the stack was started with that is not a default; null for a stack that ran already. */
  readonly settings: Readonly<Record<string, string>> | null;
  readonly phases: readonly Phase[];
  readonly connections: number;
  readonly verdicts: readonly Verdict[];
  /** Why the times are not to be believed; nothing when they are. */
  readonly warnings: readonly string[];
  readonly totals: Totals;
  /** Null when the generator did not come to its end. */
  readonly outcome: Outcome | null;
  readonly caches: readonly CacheUse[] | null;
  readonly beats: readonly Beat[];
  /** What was held at each moment; of a soak only. */
  readonly levels: readonly Level[];
  /** Cores in use at each moment, by process, with the second. */
  readonly cores: readonly { readonly second: number; readonly used: Readonly<Record<string, number>> }[];
}

/** One page that needs nothing else: the promises first, then what happened second by second. */
export function pageOf(report: Report): string {
  const { scenario, verdicts, warnings, totals } = report;
  const broken = verdicts.filter(({ state }) => state === 'broken').length;
  const headline = broken === 0 ? keptText(verdicts) : `${broken} of ${verdicts.length} promises broken`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Parley: load run ${escapeHtml(scenario)}</title>
<style>${STYLE}</style>
<h1>Load run <em>${escapeHtml(scenario)}</em>: <span class="${broken === 0 ? 'kept' : 'broken'}">${headline}</span></h1>
<p>${facts(report).map(escapeHtml).join(' · ')}</p>
${warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join('\n')}
<table><tr><th>promise</th><th>measured</th><th></th></tr>${verdicts.map(rowOf).join('')}</table>
<p>Over all ${totals.seconds} seconds, warm-up and spike included: send to delivery p50 ${text(totals.deliveryP50Ms)}, p95 ${text(totals.deliveryP95Ms)},
p99 ${text(totals.deliveryP99Ms)}; send to answer p95 ${text(totals.sendP95Ms)}; connecting, until the inbox is there, p95 ${text(totals.connectP95Ms)};
generator: event loop up to ${ms(totals.loopP95Ms)} late, ${percent(totals.busyP95)} busy.</p>
<div class="plots">${plotsOf(report).map(figureOf).join('\n')}</div>
${settingsOf(report)}${cachesOf(report.caches)}
</html>
`;
}

function keptText(verdicts: readonly Verdict[]): string {
  const kept = verdicts.filter(({ state }) => state === 'kept').length;
  return kept === verdicts.length ? 'every promise kept' : `${kept} of ${verdicts.length} promises kept, none broken`;
}

function facts({ at, machine, phases, connections, totals }: Report): string[] {
  const phaseTexts = phases.map(({ name, duration, arrivalCount, pause }) =>
    arrivalCount === undefined ? `${name} ${pause} s` : `${name} ${arrivalCount} users in ${duration} s`,
  );
  return [
    at,
    machine,
    `${connections} connections`,
    phaseTexts.join(', '),
    `${totals.sends} messages sent`,
    `${totals.deliveries} deliveries`,
  ];
}

function rowOf({ promise, measured, state }: Verdict): string {
  return `<tr class="${state}"><td>${escapeHtml(promise)}</td><td>${escapeHtml(measured)}</td><td>${state}</td></tr>`;
}

/** Seconds are steps of the recording; a plot has one value for each. */
function plotsOf({ beats, cores, levels, phases }: Report): Plot[] {
  let second = 0;
  const marks = phases.flatMap(({ name, duration, pause }, at) => {
    const mark = { second, label: name };
    second += duration ?? pause ?? 0;
    return phases[at - 1]?.name === name ? [] : [mark];
  });
  const line = (label: string, of: (beat: Beat) => number | null) => ({ label, values: beats.map(of) });
  const delivery = (p: number) => line(`p${p}`, ({ deliveryMs }) => percentileOf([deliveryMs], p));
  const names = [...new Set(cores.flatMap(({ used }) => Object.keys(used)))];
  const coreLines = names.map((label) => ({ label, values: perSecond(cores, label, beats.length) }));
  return [
    { title: 'Connections', unit: 'open', lines: [line('connections', ({ connections }) => connections)], marks },
    {
      title: 'Sends and other calls',
      unit: 'a second',
      lines: [line('sends', ({ sends }) => sends), line('all calls', ({ calls }) => calls)],
      marks,
    },
    {
      title: 'Deliveries',
      unit: 'a second',
      lines: [line('messages', ({ deliveries }) => deliveries), line('all events', ({ events }) => events)],
      marks,
    },
    {
      title: 'Send to delivery',
      unit: 'ms',
      lines: [delivery(50), delivery(95), delivery(99)],
      limit: LIMITS.deliveryP99Ms,
      marks,
    },
    {
      title: 'Send to answer, p95',
      unit: 'ms',
      lines: [line('p95', ({ sendMs }) => percentileOf([sendMs], 95))],
      limit: LIMITS.sendP95Ms,
      marks,
    },
    { title: 'Errors', unit: 'a second', lines: [line('errors', ({ errors }) => errors)], marks },
    {
      title: 'Event loop of the generator',
      unit: 'ms late',
      lines: [line('p99', ({ loopP99Ms }) => loopP99Ms), line('max', ({ loopMaxMs }) => loopMaxMs)],
      marks,
    },
    ...levelPlots(levels, beats.length).map((plot) => ({ ...plot, marks })),
    ...(coreLines.length > 0 ? [{ title: 'Processors', unit: 'cores in use', lines: coreLines, marks }] : []),
  ];
}

function levelPlots(levels: Report['levels'], seconds: number): Omit<Plot, 'marks'>[] {
  if (levels.length === 0) return [];
  const line = (label: string, of: (level: Level) => number | null) => {
    return { label, values: stretched(levels, seconds).map((level) => level && of(level)) };
  };
  return [
    { title: 'Heap of the api', unit: 'MiB', lines: [line('used', ({ heapMiB }) => heapMiB)] },
    { title: 'Open feeds', unit: 'listeners', lines: [line('listeners', ({ listeners }) => listeners)] },
    { title: 'Open files of api and worker', unit: 'files', lines: [line('files', ({ files }) => files)] },
    { title: 'Redis, both servers', unit: 'keys', lines: [line('keys', ({ keys }) => keys)] },
    { title: 'Postgres', unit: 'connections', lines: [line('open', ({ sqlConnections }) => sqlConnections)] },
  ];
}

function perSecond(cores: Report['cores'], name: string, seconds: number): (number | null)[] {
  return stretched(cores, seconds).map((moment) => moment?.used[name] ?? null);
}

/** For each second the first moment that was looked at since. */
function stretched<T extends { readonly second: number }>(moments: readonly T[], seconds: number): (T | null)[] {
  let next = 0;
  return Array.from({ length: seconds }, (_, second) => {
    while (next < moments.length - 1 && (moments[next]?.second ?? 0) < second) next++;
    return moments[next] ?? null;
  });
}

function settingsOf({ settings }: Report): string {
  if (settings === null)
    return '<h2>Settings</h2><p>A stack that ran already; what it was started with is not known here.</p>';
  const rows = Object.entries(settings).map(
    ([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`,
  );
  const raised = 'No limit was raised: the users keep to the defaults.';
  return `<h2>Settings of the stack that differ from the defaults</h2><p>${raised}</p><table>${rows.join('')}</table>`;
}

function cachesOf(caches: readonly CacheUse[] | null): string {
  if (caches === null) return '';
  const rows = caches.map(
    ({ cache, hits, asked, errors }) =>
      `<tr><td>${escapeHtml(cache)}</td><td>${asked}</td><td>${asked === 0 ? '' : percent(hits / asked)}</td><td>${errors}</td></tr>`,
  );
  return `<h2>Caches</h2><table><tr><th>cache</th><th>asked</th><th>found</th><th>not answered in time</th></tr>${rows.join('')}</table>`;
}

const text = (value: number | null): string => (value === null ? 'not measured' : ms(value));

const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; margin: 24px auto; max-width: 1180px; padding: 0 16px; color: #0f172a; }
h1 { font-size: 22px; } h2 { font-size: 16px; margin-top: 28px; }
table { border-collapse: collapse; margin: 12px 0; } td, th { padding: 4px 14px 4px 0; text-align: left; border-bottom: 1px solid #e2e8f0; }
span.kept, tr.kept td:last-child { color: #047857; font-weight: 600; } span.broken, tr.broken td:last-child { color: #b91c1c; font-weight: 600; }
tr.unknown td:last-child { color: #92400e; } .warning { background: #fef3c7; border-left: 4px solid #d97706; padding: 8px 12px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 18px; } figure { margin: 0; } figcaption { font-size: 13px; }
figcaption span { margin-left: 8px; } figcaption span::before { content: ''; display: inline-block; width: 14px; height: 3px; margin: 0 4px 3px 0; background: var(--colour); }
svg { width: 100%; } path { fill: none; stroke-width: 1.5; } .grid { stroke: #e2e8f0; } .mark { stroke: #94a3b8; stroke-dasharray: 2 3; }
.limit { stroke: #dc2626; stroke-dasharray: 5 3; } .tick { font: 10px system-ui, sans-serif; fill: #64748b; } .end { text-anchor: end; } .mid { text-anchor: middle; }
`;
