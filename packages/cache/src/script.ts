import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LINE_VERSION } from '@parley/domain';
import { EMOJIS_PER_MESSAGE_MAX, WINDOW_MAX_ENTRIES } from '@parley/protocol';

/** A script as the server gets it, and the name that the server gives it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export type Constants = Readonly<Record<string, string | number>>;

/** How long a resend of an operation gets the first one's answer from the log store; later twins meet the unique key in Postgres. */
const ANSWER_TTL_S = 3_600;

/** Positions that a header keeps in one list: of deleted messages, and of one member's mentions. */
const LISTED_MAX = 200;
/** States of messages that a channel keeps although Postgres has them, and how long one is kept at least. */
const STATES_MAX = 200;
const STATES_KEPT_MS = 60_000;

const EVERYWHERE: Constants = {
  ANSWER_TTL_S,
  LINE_VERSION,
  WINDOW_MAX: WINDOW_MAX_ENTRIES,
  EMOJIS_MAX: EMOJIS_PER_MESSAGE_MAX,
  DELETED_MAX: LISTED_MAX,
  MENTIONS_MAX: LISTED_MAX,
  STATES_MAX,
  STATES_KEPT_MS,
};

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
