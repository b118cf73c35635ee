/**
 * What a HorizontalPodAutoscaler v2 decides, by the formulas of Kubernetes' own controller: tolerance, pods that are missing or not
 * ready, metrics that are absent, stabilization and policies. It looks every 15 s.
 */

/** As `spec.behavior` has it. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number;
  readonly policies: readonly {
    readonly type: 'Pods' | 'Percent';
    readonly value: number;
    readonly periodSeconds: number;
  }[];
}

/** As `spec` has it, with the metrics by name. */
export interface Autoscaler {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targets: Readonly<Record<string, number>>;
  readonly behavior: { readonly scaleUp: ScalingRules; readonly scaleDown: ScalingRules };
}

/** One number for all pods, or one a pod; a pod that has none yet is undefined. Null: the metrics API has nothing. */
export type Reading =
  | { readonly kind: 'external'; readonly value: number }
  | { readonly kind: 'pods'; readonly values: readonly (number | undefined)[] }
  | null;

const TOLERANCE = 0.1;

interface Change {
  readonly at: number;
  readonly by: number;
}

/** One autoscaler with its memory. Times are seconds. */
export class Controller {
  readonly #spec: Autoscaler;
  readonly #recommended: { at: number; replicas: number }[] = [];
  readonly #changes: Change[] = [];

  constructor(spec: Autoscaler) {
    this.#spec = spec;
  }

  /** How many there should be from now on. */
  decide(now: number, current: number, readings: Readonly<Record<string, Reading>>): number {
    const wanted = this.#wanted(current, readings);
    if (wanted === null) return current;
    this.#recommended.push({ at: now, replicas: wanted });
    const next = this.#limited(now, current, this.#stabilized(now, current, wanted));
    if (next !== current) this.#changes.push({ at: now, by: next - current });
    return next;
  }

  /** The largest answer of all metrics. One that is absent forbids to go down, and when none has an answer there is none. */
  #wanted(current: number, readings: Readonly<Record<string, Reading>>): number | null {
    const answers = Object.entries(this.#spec.targets).map(([name, target]) =>
      answerOf(readings[name] ?? null, target, current),
    );
    const valid = answers.filter((answer) => answer !== null);
    const wanted = valid.length > 0 ? Math.max(...valid) : null;
    if (wanted === null || (valid.length < answers.length && wanted < current)) return null;
    return wanted;
  }

  #stabilized(now: number, current: number, wanted: number): number {
    const { scaleUp, scaleDown } = this.#spec.behavior;
    const within = (rules: ScalingRules, byDefault: number) => {
      const since = now - (rules.stabilizationWindowSeconds ?? byDefault);
      return [wanted, ...this.#recommended.filter(({ at }) => at > since).map(({ replicas }) => replicas)];
    };
    const up = Math.min(...within(scaleUp, 0));
    const down = Math.max(...within(scaleDown, 300));
    return Math.min(Math.max(current, up), down);
  }

  #limited(now: number, current: number, wanted: number): number {
    const { minReplicas, maxReplicas, behavior } = this.#spec;
    const bounded = Math.min(Math.max(wanted, minReplicas), maxReplicas);
    const changed = (seconds: number, up: boolean) =>
      this.#changes
        .filter(({ at, by }) => at > now - seconds && by > 0 === up)
        .reduce((sum, { by }) => sum + Math.abs(by), 0);
    if (bounded > current) {
      const limits = behavior.scaleUp.policies.map(({ type, value, periodSeconds }) => {
        const start = current - changed(periodSeconds, true);
        return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
      });
      return Math.min(bounded, Math.max(current, ...limits));
    }
    if (bounded < current) {
      const limits = behavior.scaleDown.policies.map(({ type, value, periodSeconds }) => {
        const start = current + changed(periodSeconds, false);
        return type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100));
      });
      return Math.max(bounded, Math.min(current, ...limits));
    }
    return current;
  }
}

function answerOf(reading: Reading, target: number, current: number): number | null {
  if (reading === null) return null;
  if (reading.kind === 'external') {
    const ratio = reading.value / (target * current);
    return Math.abs(1 - ratio) <= TOLERANCE ? current : Math.ceil(reading.value / target);
  }
  const known = reading.values.filter((value) => value !== undefined);
  if (known.length === 0) return null;
  const ratio = mean(known) / target;
  if (known.length === reading.values.length) {
    return Math.abs(1 - ratio) <= TOLERANCE ? current : Math.ceil(ratio * known.length);
  }
  // Of those that say nothing the careful thing is thought: nothing to do when more are wanted, just enough when fewer are.
  const thought = reading.values.map((value) => value ?? (ratio > 1 ? 0 : target));
  const careful = mean(thought) / target;
  if (Math.abs(1 - careful) <= TOLERANCE || careful > 1 !== ratio > 1) return current;
  return Math.ceil(careful * thought.length);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
