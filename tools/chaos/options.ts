import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from './fault-list.ts';

/** A protection that a run may go without, to see that the run finds what it protects from. */
export const PROTECTIONS = ['aof', 'append', 'commit'] as const;
export type Protection = (typeof PROTECTIONS)[number];

/** What a run was asked to be. */
export interface Options {
  readonly minutes: number;
  /** The order of the faults is a function of it. */
  readonly seed: number;
  readonly only: readonly FaultName[];
  readonly without: Protection | null;
}

const MINUTES = { usual: 5, most: 24 * 60 };

export const USAGE = `npm run chaos -- [options]

  --minutes 5         how long faults are made; one is made in any case, and the last may take half a minute longer
  --seed 1            the order of the faults; by default another one each time
  --only a,b          these faults alone: ${FAULT_NAMES.join(', ')}
  --without NAME      one protection off, to see that its loss is found: aof (the log store keeps nothing on disk),
                      append (answers before the log has it), commit (the log forgets before Postgres has it)`;

/** Reads the command line, or throws an error whose message says what is wrong with it. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string', default: String(MINUTES.usual) },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string', default: '' },
      without: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MINUTES.most))
    throw new Error(`--minutes must be a number above 0 and at most ${MINUTES.most}, not ${values.minutes}`);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  return { minutes, seed, only: named(values.only), without: protection(values.without) };
}

function named(text: string): FaultName[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
    .map((each) => {
      const name = FAULT_NAMES.find((known) => known === each);
      if (!name) throw new Error(`--only: there is no fault ${each}; there are ${FAULT_NAMES.join(', ')}`);
      return name;
    });
}

function protection(text: string | undefined): Protection | null {
  if (text === undefined) return null;
  const name = PROTECTIONS.find((known) => known === text);
  if (!name) throw new Error(`--without: one of ${PROTECTIONS.join(', ')}, not ${text}`);
  return name;
}
