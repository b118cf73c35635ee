import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ScenarioName } from './options.ts';
import { LOAD_TESTS, type Scenario } from './scenario.ts';

const BIN = `${LOAD_TESTS}node_modules/artillery/bin/run`;

/** Why Artillery cannot run, in words that say what to do; null when it can. */
export function artilleryProblem(): string | null {
  if (existsSync(BIN)) return null;
  return 'Artillery is not installed: it is no part of the workspace. `cd load-tests && npm ci` (400 packages, under a minute).';
}

/** Artillery on one scenario. */
export interface Generator {
  readonly child: ChildProcess;
  /** All that it printed. */
  text(): string;
  /** Its exit code; null when it was killed. Thresholds that are missed make it 1, too. */
  readonly ended: Promise<number | null>;
}

/** Starts Artillery. Its virtual users write what they see to `pulse`. */
export function startArtillery(name: ScenarioName, scenario: Scenario, at: { url: string; pulse: string }): Generator {
  const overrides = JSON.stringify({ config: scenario });
  const child = spawn(process.execPath, [BIN, 'run', `${name}-test.yml`, '--overrides', overrides], {
    cwd: LOAD_TESTS,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ARTILLERY_DISABLE_TELEMETRY: 'true',
      PARLEY_URL: at.url,
      PARLEY_LOAD_PULSE: at.pulse,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  return { child, text: () => output.join(''), ended };
}
