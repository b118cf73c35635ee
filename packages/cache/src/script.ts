import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LINE_VERSION } from '@parley/domain';
import { WINDOW_MAX_ENTRIES } from '@parley/protocol';

/** A script as the server gets it, and the name that the server gives it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export type Constants = Readonly<Record<string, string | number>>;

/** How long a resend of an operation gets the first one's answer from the log store; later twins meet the unique key in Postgres. */
const ANSWER_TTL_S = 3_600;

const EVERYWHERE: Constants = { ANSWER_TTL_S, LINE_VERSION, WINDOW_MAX: WINDOW_MAX_ENTRIES };

/** The text of `lua/<name>.lua` with `__NAME__` replaced by its constant. Throws when one has no value, so that no script runs with a hole. */
export function readScript(name: string, constants: Constants = {}): Script {
  const source = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
  const values: Constants = { ...EVERYWHERE, ...constants };
  const text = source.replace(/__([A-Z_]+?)__/g, (_, constant: string) => {
    const value = values[constant];
    if (value === undefined) throw new Error(`lua/${name}.lua: no value for ${constant}`);
    return String(value);
  });
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
