import { SettingsError } from '@parley/runtime';
import { readApiSettings } from '../../apps/api/src/settings.ts';
import { readWorkerSettings } from '../../apps/worker/src/settings.ts';
import type { Finding } from './finding.ts';

const CURES: readonly (readonly [RegExp, string])[] = [
  [/^(AUTH_SECRET|ADMIN_TOKEN|FILES_SECRET): .*bytes/, '`openssl rand -hex 32` makes one that is long enough'],
  [/^AUTH_SECRET: set it/, 'set AUTH_SECRET (`openssl rand -hex 32`), or AUTH_JWKS_URL to the keys of your issuer'],
  [/^AUTH_SECRET: not together/, 'keep AUTH_JWKS_URL where an issuer signs the tokens, else AUTH_SECRET'],
  [/required, but not set/, 'set it, or start a stack that has its own: npm start'],
];

/** What either app would refuse to start with. */
export function settingsFindings(env: NodeJS.ProcessEnv): Finding[] {
  const problems = [() => readApiSettings(env), () => readWorkerSettings(env)].flatMap(problemsOf);
  return [...new Set(problems)].map((problem) => ({
    check: 'settings',
    level: 'fault',
    fault: problem,
    cure: CURES.find(([pattern]) => pattern.test(problem))?.[1] ?? '`npm run config` prints what each setting means',
  }));
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}
