import { parseArgs } from 'node:util';

export const SCENARIOS = ['performance', 'stress', 'spike', 'soak', 'ordering', 'reconnect', 'offline'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** Those that are about order and completeness, not about times. */
export const EXACT: readonly ScenarioName[] = ['ordering', 'reconnect', 'offline'];

/** What a run was asked to be. */
export interface Options {
  readonly scenario: ScenarioName;
  /** A stack that runs; without it one is started, and ended again. */
  readonly url: string | null;
  /** Its ops port's address; null when it is not known. */
  readonly ops: string | null;
  /** Connections at the same time; null: as the scenario file says. */
  readonly connections: number | null;
  /** Seconds of all phases together; null: as the scenario file says. */
  readonly seconds: number | null;
  /** Small and short: what depends on the machine or on warm caches is shown, not judged. */
  readonly quick: boolean;
  readonly out: string;
  /** Where a PNG of the page goes; null for none. */
  readonly picture: string | null;
}

export const USAGE = `npm run load -- ${SCENARIOS.join('|')} [options]

  --url http://127.0.0.1:3000   a stack that runs, with DEV_TOKENS on; without it one is started for the run
  --ops http://127.0.0.1:3001   its ops port; by default that of the URL + 1
  --connections 500             users at the same time; by default what the scenario says
  --duration 60                 seconds of all phases together; by default what the scenario says
  --quick                       a small, short run: the same path, times shown but not judged
  --out .data/load              where the page and its JSON are written
  --picture docs/load.png       a PNG of the page, too; needs chromium`;

const QUICK = { timed: { connections: 100, seconds: 25 }, exact: { connections: 30, seconds: 8 } };

/** Reads the command line, or throws an error whose message says what is wrong with it. */
export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      ops: { type: 'string' },
      connections: { type: 'string' },
      duration: { type: 'string' },
      out: { type: 'string', default: '.data/load' },
      quick: { type: 'boolean', default: false },
      picture: { type: 'string' },
    },
  });
  const scenario = SCENARIOS.find((name) => name === positionals[0]);
  if (!scenario || positionals.length > 1) throw new Error(`which run? One of ${SCENARIOS.join(', ')}`);
  const quick = values.quick ? QUICK[EXACT.includes(scenario) ? 'exact' : 'timed'] : null;
  return {
    scenario,
    url: values.url?.replace(/\/$/, '') ?? null,
    ops: values.ops?.replace(/\/$/, '') ?? (values.url ? opsOf(values.url) : null),
    connections: whole('--connections', values.connections, 2) ?? quick?.connections ?? null,
    seconds: whole('--duration', values.duration, 5) ?? quick?.seconds ?? null,
    quick: values.quick,
    out: values.out,
    picture: values.picture ?? null,
  };
}

function opsOf(text: string): string {
  const url = new URL(text);
  url.port = String(Number(url.port || (url.protocol === 'https:' ? 443 : 80)) + 1);
  return url.origin;
}

function whole(name: string, text: string | undefined, least: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} must be a whole number from ${least}, not ${text}`);
  return value;
}
