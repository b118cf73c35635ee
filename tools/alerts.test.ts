import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertSettings, readSettings } from '@parley/runtime';
import { needs } from '@parley/testing/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertRules, keptRules } from './alerts.ts';

const KEPT = 'deploy/prometheus/rules/parley.yaml';
const kept = readFileSync(KEPT, 'utf8');
const alerts = [...new Set([...kept.matchAll(/^ {6}- alert: (\w+)$/gm)].map(([, name = '']) => name))];
const promtool = needs('promtool');

/** For each setting another value, a little beyond what a scenario has, and the alert that this scenario is about. */
const MOVED: Readonly<Record<keyof typeof alertSettings, readonly [value: string, alert: string]>> = {
  ALERT_CPU_THRESHOLD: ['82', 'ParleyCpuHigh'],
  ALERT_MEMORY_THRESHOLD: ['87', 'ParleyMemoryHigh'],
  ALERT_CONNECTIONS: ['5001', 'ParleyConnectionsHigh'],
  ALERT_SLOW_QUERY_MS: ['500', 'ParleySlowQueries'],
  ALERT_CACHE_MISS_PERCENT: ['26', 'ParleyCacheMissesHigh'],
  ALERT_POOL_PERCENT: ['96', 'ParleyPoolNearlyFull'],
  ALERT_LOG_MEMORY_PERCENT: ['42', 'ParleyLogMemoryHigh'],
  ALERT_BACKLOG_ENTRIES: ['26000', 'ParleyBacklogFilling'],
  ALERT_STALL_S: ['200', 'ParleyPersistStalled'],
  ALERT_JOB_WAIT_S: ['480', 'ParleyJobsLate'],
  ALERT_LOOP_PERCENT: ['96', 'ParleyLoopBusy'],
  ALERT_DRAIN_S: ['300', 'ParleyDrainStuck'],
  ALERT_ACCEPT_MS: ['500', 'ParleyAcceptSlow'],
  ALERT_ACCEPT_TARGET_MS: ['75', 'ParleyAcceptTargetMissed'],
  ALERT_DELIVERY_MS: ['1000', 'ParleyDeliverySlow'],
  ALERT_DELIVERY_TARGET_MS: ['150', 'ParleyDeliveryTargetMissed'],
  ALERT_PERSIST_MS: ['3000', 'ParleyPersistLate'],
  ALERT_MIN_EVENTS: ['10', 'ParleyAcceptSlow'],
  ALERT_RUNBOOK_URL: ['https://wiki.example/chat', 'ParleyCallsFailing'],
};

describe('the rules', () => {
  it('[ALERT-1] are kept as the defaults of the settings make them', () => {
    expect(kept).toBe(keptRules());
  });

  it.each(Object.entries(MOVED))('[ALERT-1] %s moves them', (name, [value]) => {
    expect(alertRules({ [name]: value })).not.toBe(alertRules({}));
  });

  it('[ALERT-1] a threshold that cannot be measured is refused, and named', () => {
    expect(() => alertRules({ ALERT_ACCEPT_MS: '200', ALERT_CPU_THRESHOLD: '800' })).toThrow(
      /ALERT_CPU_THRESHOLD.*from 1 to 100[\s\S]*ALERT_ACCEPT_MS.*one of 5, 10, 25/,
    );
  });

  it('[ALERT-2] have the thresholds that were asked for', () => {
    expect(readSettings(alertSettings, {})).toMatchObject({
      ALERT_CPU_THRESHOLD: 80,
      ALERT_MEMORY_THRESHOLD: 85,
      ALERT_CONNECTIONS: 5_000,
      ALERT_SLOW_QUERY_MS: 1_000,
      ALERT_CACHE_MISS_PERCENT: 20,
      ALERT_POOL_PERCENT: 90,
    });
  });
});

promtool.describe('promtool', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-rules-'));
    await cp('deploy/prometheus', dir, { recursive: true });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** What promtool says, and whether it is content. */
  function run(...args: string[]): Promise<{ ok: boolean; text: string }> {
    return new Promise((resolve) => {
      execFile(promtool.path, args, (failure, stdout, stderr) => resolve({ ok: !failure, text: stdout + stderr }));
    });
  }
  const scenarios = (files: string) => run('test', 'rules', ...globSync(join(dir, 'tests', files)));

  it('[ALERT-3] can read the rules and the configuration', async () => {
    expect(await run('check', 'config', join(dir, 'prometheus.yml'))).toMatchObject({ ok: true });
    expect(await run('check', 'rules', join(dir, 'rules/parley.yaml'))).toMatchObject({ ok: true });
  });

  it('[ALERT-4] finds that every alert speaks and is silent when it should', async () => {
    expect(await scenarios('*.yaml')).toMatchObject({ ok: true });
  }, 240_000);

  it('[ALERT-4] control: it finds each threshold that was moved', async () => {
    const { ALERT_MIN_EVENTS, ...others } = MOVED;
    // Two runs: that objectives page for little, and that they are slower, show in the same scenarios.
    for (const moved of [others, { ALERT_MIN_EVENTS }]) {
      const env = Object.fromEntries(Object.entries(moved).map(([name, [value]]) => [name, value]));
      await writeFile(join(dir, 'rules/parley.yaml'), alertRules(env));
      const { ok, text } = await scenarios('*.yaml');
      expect(ok).toBe(false);
      for (const [name, [, alert]] of Object.entries(moved)) expect(text, name).toContain(alert);
    }
  }, 240_000);
});

describe('the scenarios', () => {
  const texts = globSync('deploy/prometheus/tests/*.yaml').map((file) => readFileSync(file, 'utf8'));
  const checks = texts.flatMap((text) => text.split(/^ {6}- expr: /m).slice(1));

  it.each(alerts)('[ALERT-4] %s has one in which it speaks, and one in which it is silent', (alert) => {
    const own = checks.filter((check) => new RegExp(`alertname=~?"[^"]*\\b${alert}\\b`).test(check));
    expect(own.some((check) => check.includes(`alertname="${alert}", severity=`) && /value: 1/.test(check))).toBe(true);
    expect(own.some((check) => check.includes('exp_samples: []')) || alert === 'ParleyDeadLetters').toBe(true);
  });
});

describe('docs/runbook.md', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  const sections = new Map(
    runbook
      .split(/^## /m)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
  );

  it('[ALERT-5] has a section for each alert, and none for one that is gone', () => {
    const named = [...sections.keys()].filter((title) => title.startsWith('Parley'));
    expect(named.sort()).toEqual([...alerts].sort());
  });

  it.each(alerts)('[ALERT-5] %s: what users notice, how to see it, what to do, when it is over', (alert) => {
    const section = sections.get(alert) ?? '';
    const parts = ['**Users:**', '**See it:**', '**Do:**', '**Over when:**'].map((part) => section.indexOf(part));
    expect(parts).not.toContain(-1);
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
  });

  it('[ALERT-5] names only commands and settings that exist', () => {
    const scripts: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));
    const commands = [...runbook.matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name);
    expect(commands.filter((name) => !(name in scripts.scripts))).toEqual([]);
  });
});
