import { parseArgs } from 'node:util';
import { FAULT_NAMES } from '../../packages/testing/test/model/actions.ts';
import { PROTECTIONS, type Protection } from '../../packages/testing/test/model/protections.ts';

/** What a series of runs was asked to be. */
export interface Options {
  readonly runs: number;
  /** That of the first run; the others follow. */
  readonly seed: number;
  readonly actions: number;
  readonly only: readonly string[];
  readonly without: Protection | null;
  /** Goes on after a run that broke a promise. */
  readonly all: boolean;
  /** Prints what happened in a run that broke a promise. */
  readonly trail: boolean;
}

const PROTECTION_NAMES = Object.keys(PROTECTIONS) as Protection[];

export const USAGE = `npm run model -- [options]

  --runs 500          how many runs, up to the first that breaks a promise
  --seed 1            of the first run; the same seed is the same run
  --actions 80        what people do and what befalls them in a run, before it is left alone
  --only a,b          these faults alone: ${FAULT_NAMES.join(', ')}; none: no fault at all
  --without NAME      one protection left out, to see that its loss is found: ${PROTECTION_NAMES.join(', ')}
  --all               does not stop at the first run that breaks a promise
  --trail             what happened in the run that broke a promise, step by step`;

/** Reads the command line, or throws an error whose message says what is wrong with it. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      actions: { type: 'string', default: '80' },
      only: { type: 'string' },
      without: { type: 'string' },
      all: { type: 'boolean', default: false },
      trail: { type: 'boolean', default: false },
    },
  });
  return {
    runs: whole('runs', values.runs, 1),
    seed: whole('seed', values.seed, 0),
    actions: whole('actions', values.actions, 1),
    only: values.only === undefined ? FAULT_NAMES : faults(values.only),
    without: protection(values.without),
    all: values.all,
    trail: values.trail,
  };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number from ${least} on, not ${text}`);
}

function faults(text: string): string[] {
  if (text === 'none') return [];
  const names = text.split(',').map((each) => each.trim());
  const unknown = names.find((name) => !FAULT_NAMES.includes(name));
  if (unknown !== undefined)
    throw new Error(`--only: there is no fault ${unknown}; there are ${FAULT_NAMES.join(', ')}, or none`);
  return names;
}

function protection(text: string | undefined): Protection | null {
  if (text === undefined) return null;
  const name = PROTECTION_NAMES.find((known) => known === text);
  if (!name) throw new Error(`--without: one of ${PROTECTION_NAMES.join(', ')}, not ${text}`);
  return name;
}
