import { checkPolicies } from '@parley/cache';
import type { Readiness } from '@parley/runtime';
import * as z from 'zod';

type Checks = Readonly<Record<string, () => Promise<string | undefined>>>;
type State = Readiness['dependencies'][string];

const CHECK_WITHIN_MS = 1_000;
const POLICIES_FOR_MS = 30_000;

/** Asks each dependency how it is. A check answers a remark, or throws; one that takes too long counts as away. */
export async function askDependencies(checks: Checks): Promise<Readiness['dependencies']> {
  const names = Object.entries(checks).map(async ([name, check]) => [name, await stateOf(check)] as const);
  return Object.fromEntries(await Promise.all(names));
}

async function stateOf(check: () => Promise<string | undefined>): Promise<State> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), CHECK_WITHIN_MS);
  try {
    const detail = await Promise.race([check(), late.promise]);
    return { ok: true, ...(detail !== undefined && { detail }) };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the stores' settings allow what we promise. In production they must; elsewhere it is a remark. Asked at most twice a minute. */
export function createPolicyCheck(stores: Parameters<typeof checkPolicies>[0], strict: boolean) {
  let known: { readonly reasons: readonly string[]; readonly until: number } = { reasons: [], until: 0 };
  return async (): Promise<string | undefined> => {
    if (Date.now() > known.until) {
      known = { reasons: await checkPolicies(stores), until: Date.now() + POLICIES_FOR_MS };
    }
    if (known.reasons.length === 0) return undefined;
    const reasons = known.reasons.join('; ');
    if (strict) throw new Error(reasons);
    return reasons;
  };
}

const threadSchema = z.object({
  serving: z.boolean(),
  dependencies: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
});
/** How one thread stands. */
export type ThreadStanding = z.infer<typeof threadSchema>;

/**
 * How the process stands, by what its threads say. Ready while a thread serves and has the log store or Postgres: with either it can do
 * something useful. A policy that breaks our promises is reason enough not to be.
 */
export function readinessOf(answers: readonly unknown[], draining: boolean): Readiness {
  const threads = answers.map((answer) => threadSchema.safeParse(answer).data).filter((thread) => thread !== undefined);
  const dependencies: Record<string, State> = {};
  for (const thread of threads) {
    for (const [name, { ok, detail }] of Object.entries(thread.dependencies)) {
      const worst = dependencies[name];
      if (!worst || (worst.ok && !ok)) dependencies[name] = { ok, ...(detail !== undefined && { detail }) };
    }
  }
  const serving = threads.filter((thread) => thread.serving).length;
  const isOk = (name: string) => dependencies[name]?.ok === true;
  dependencies.threads = { ok: serving > 0, detail: `${serving} serve` };
  const policies = dependencies.policies?.ok !== false || !isOk('log') || !isOk('cache');
  return { ok: !draining && serving > 0 && policies && (isOk('log') || isOk('postgres')), dependencies };
}
