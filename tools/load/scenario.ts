import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Knobs } from '../../load-tests/virtual-users/stage.ts';
import { EXACT, type ScenarioName } from './options.ts';

/** Where the scenario files and what they need are. */
export const LOAD_TESTS = fileURLToPath(new URL('../../load-tests/', import.meta.url));

/** A part of a run: users arrive evenly, or nobody does. */
export interface Phase {
  readonly name: string;
  readonly duration?: number;
  readonly arrivalCount?: number;
  readonly pause?: number;
}

/** What of a scenario file changes with the size of the run. */
export interface Scenario {
  readonly phases: readonly Phase[];
  readonly variables: Partial<Knobs> & { readonly users: number; readonly seconds: number };
}

/** Users leave and come again: to have so many at the same time there must be some more. */
const SPARE = 1.1;

/** Reads a scenario file. Throws when `load-tests` is not installed. */
export function readScenario(name: ScenarioName): Scenario {
  const yaml = yamlOf(createRequire(`${LOAD_TESTS}package.json`)('js-yaml'));
  const { config } = fileOf(yaml.load(readFileSync(`${LOAD_TESTS}${name}-test.yml`, 'utf8')));
  return { phases: config.phases, variables: config.variables };
}

const yamlOf = (module: unknown) => module as { load(text: string): unknown };
const fileOf = (value: unknown) => value as { config: Scenario };

/** Connections at the same time that a scenario is made for. */
export function connectionsOf(name: ScenarioName, { variables }: Scenario): number {
  return EXACT.includes(name) ? variables.users : Math.round(variables.users / SPARE);
}

const secondsOf = ({ duration, pause }: Phase): number => duration ?? pause ?? 0;
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** When, by its phases, a run is at its peak and cools down. The file's own variables must say the same. */
export function timesOf(
  phases: readonly Phase[],
): Pick<Knobs, 'seconds' | 'coolDownSeconds' | 'spikeAtSecond' | 'spikeSeconds'> {
  const of = (name: string) => phases.filter((phase) => phase.name === name);
  const spike = phases.findIndex(({ name }) => name === 'spike');
  return {
    seconds: sum(phases.map(secondsOf)),
    coolDownSeconds: sum(of('cool-down').map(secondsOf)),
    spikeAtSecond: sum(phases.slice(0, Math.max(0, spike)).map(secondsOf)),
    spikeSeconds: sum(of('spike').map(secondsOf)),
  };
}

/** The same scenario for another number of connections or another length; phases keep their proportions. */
export function scale(
  name: ScenarioName,
  scenario: Scenario,
  to: { readonly connections: number | null; readonly seconds: number | null },
): Scenario {
  const isExact = EXACT.includes(name);
  const { users: usersBefore, seconds: secondsBefore } = scenario.variables;
  const users = to.connections === null ? usersBefore : Math.ceil(to.connections * (isExact ? 1 : SPARE));
  const longer = (to.seconds ?? secondsBefore) / secondsBefore;
  const stretched = (seconds: number) => Math.max(1, Math.round(seconds * longer));
  const arriving = scenario.phases.filter(({ arrivalCount }) => arrivalCount !== undefined);
  const shares = arriving.map(({ arrivalCount = 0 }) => Math.max(1, Math.round((arrivalCount * users) / usersBefore)));
  // Rounding must not send a user home.
  shares[0] = (shares[0] ?? 0) + users - sum(shares);
  const phases = scenario.phases.map((phase): Phase => {
    if (phase.arrivalCount === undefined) return { name: phase.name, pause: stretched(secondsOf(phase)) };
    const arrivalCount = shares[arriving.indexOf(phase)] ?? 0;
    return { name: phase.name, duration: stretched(secondsOf(phase)), arrivalCount };
  });
  const times = isExact ? { seconds: stretched(secondsBefore) } : timesOf(phases);
  return { phases, variables: { ...scenario.variables, ...times, users } };
}
