import { parseArgs } from 'node:util';

export const ROW_IDS = ['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8', 'B9', 'B10', 'B11', 'B12', 'S1', 'S2'] as const;
export type RowId = (typeof ROW_IDS)[number];

const QUICK: readonly RowId[] = ['B1', 'B2', 'B3', 'B6', 'B7', 'B9'];
const PAIRS = 7;

/** What the command line asks for. */
export interface BenchOptions {
  readonly rows: readonly RowId[];
  /** Rounds of each row; every round has each side once. */
  readonly pairs: number;
  /** Shorter rounds, smaller crowds. */
  readonly quick: boolean;
  /** Folder for `latest.md`, `latest.json` and `latest.svg`. */
  readonly out: string;
  /** Prints the report as JSON instead of the table. */
  readonly json: boolean;
  /** Writes `docs/bench.*`, too. */
  readonly keep: boolean;
}

const isRow = (id: string): id is RowId => ROW_IDS.some((row) => row === id);

/** Reads the command line; throws with what is wrong with it. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', default: 'bench' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const named = (values.only ?? '')
    .split(',')
    .filter(Boolean)
    .map((id) => id.trim().toUpperCase());
  const unknown = named.filter((id) => !isRow(id));
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}; there are ${ROW_IDS.join(', ')}`);
  const pairs = Number(values.pairs ?? PAIRS);
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new Error(`--pairs must be a whole number from 1, not ${values.pairs}`);
  const { quick, out, json, keep } = values;
  const rows = named.length > 0 ? ROW_IDS.filter((id) => named.includes(id)) : quick ? QUICK : ROW_IDS;
  return { rows, pairs, quick, out, json, keep };
}
