/** A rule of the message path that a run may go without: then something must break, or the model sees nothing. */
export type Protection = keyof typeof PROTECTIONS;

interface Without {
  /** The scripts as the log store gets them. */
  readonly script?: (text: string) => string;
  /** The outbox takes what is accepted for kept. */
  readonly believesAccepted?: boolean;
  /** Nobody asks Postgres what became of an operation. */
  readonly asksNobody?: boolean;
  /** Entries leave the log before Postgres has them. */
  readonly trimsFirst?: boolean;
  /** A drain begins by a doorbell alone. */
  readonly watchesNothing?: boolean;
  /** Reads of a channel go to whatever server is there. */
  readonly trustsAnyServer?: boolean;
  /** A page is taken as it was read, whatever the log store has forgotten meanwhile. */
  readonly takesAnyPage?: boolean;
}

const swap = (from: string | RegExp, to: string) => (text: string) => text.replaceAll(from, to);

export const PROTECTIONS = {
  outbox: { believesAccepted: true },
  dedupe: { script: swap('if known[2] then', 'if false then') },
  mark: { script: swap(/call\('OBJECT', 'ENCODING', KEYS\[1\]\) ~= 'raw'/g, 'false') },
  'look-up': { asksNobody: true },
  'commit first': { trimsFirst: true },
  watch: { watchesNothing: true },
  agreement: { trustsAnyServer: true },
  'one place': { takesAnyPage: true },
  'header once': { script: swap(/== EPOCH then return 'kept' end/g, "== 'x' then return 'kept' end") },
} as const satisfies Record<string, Without>;

/** What a run goes without. */
export function lacking(protection: Protection | null): Without {
  return protection === null ? {} : PROTECTIONS[protection];
}
