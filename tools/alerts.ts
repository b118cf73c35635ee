/**
 * `npm run alerts -- FILE`: writes the Prometheus rules with the thresholds of this environment (`ALERT_*`); without a file, on stdout.
 * `-- --write` puts those with the defaults where they are kept, in deploy/prometheus/rules.
 */
import { writeFileSync } from 'node:fs';
import { alertSettings, readSettings, SettingsError } from '@parley/runtime';
import { objectiveGroups } from './alerts/objectives.ts';
import { renderRules } from './alerts/rule-file.ts';
import { thresholdGroups } from './alerts/thresholds.ts';

const KEPT = 'deploy/prometheus/rules/parley.yaml';
const HEAD = '# Made by `npm run alerts -- --write` from tools/alerts: change it there.\n';

/** The rule file that these settings give; throws a `SettingsError` that names every bad one. */
export function alertRules(env: NodeJS.ProcessEnv): string {
  const settings = readSettings(alertSettings, env);
  return renderRules([...objectiveGroups(settings), ...thresholdGroups(settings)], settings.ALERT_RUNBOOK_URL);
}

/** What is kept in the repository: the rules with the defaults. */
export function keptRules(): string {
  return HEAD + alertRules({});
}

if (import.meta.main) {
  try {
    const [target] = process.argv.slice(2);
    if (target === '--write') writeFileSync(KEPT, keptRules());
    else if (target) writeFileSync(target, alertRules(process.env));
    else process.stdout.write(alertRules(process.env));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
