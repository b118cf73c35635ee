import { Failure, PoisonError } from '@parley/domain';

const RETRY_AFTER_MS = 1_000;

/** The parts of an error of `pg`, or of a MikroORM error that wraps one, that we judge by. Its message and detail may hold what people wrote. */
interface DatabaseError {
  readonly code?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly message: string;
}

/**
 * Classes of SQLSTATE that say nothing about the statement: connection (08), transaction rolled back (40), resources (53),
 * operator intervention (57), system (58), and a lock not got, a server that has become read-only.
 */
const PASSING = /^(08|40|53|57|58)...$|^55P03$|^25006$/;
const REFUSED_FOR_EVER = /^(22|23)...$/;
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** What Node and `pg` say of a connection that is not there. `pg` has no codes for its own. */
const NO_CONNECTION = /^E[A-Z]+$|connection|timeout|pool after calling end|not queryable/i;

/** A statement that Postgres refused. It tells the place, never the values. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  /** Postgres' SQLSTATE, where it gave one. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;

  constructor(statement: string, error: DatabaseError) {
    const { code, constraint, table } = error;
    const place = constraint ?? table;
    super(`${statement} was refused: ${code ?? 'no code'}${place ? ` at ${place}` : ''}${wordsOf(error)}`);
    this.code = code;
    this.constraint = constraint;
  }
}

/** Syntax and access errors (42) name our own tables; the others may quote a value. */
function wordsOf({ code, message }: DatabaseError): string {
  return code?.startsWith('42') ? ` (${firstLine(message)})` : '';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** What an error of Postgres or of the way to it means: `UNAVAILABLE` when the same call may succeed later. */
export function databaseFailure(statement: string, error: unknown): Error {
  if (error instanceof Failure || error instanceof PoisonError || error instanceof StatementError) return error;
  if (!(error instanceof Error)) return new Error(`${statement} failed`);
  if (isPassing(error)) {
    const cause = new Error(`${statement}: ${(error as DatabaseError).code ?? firstLine(error.message)}`);
    return new Failure('UNAVAILABLE', 'the database is not available', { retryAfterMs: RETRY_AFTER_MS, cause });
  }
  return new StatementError(statement, error);
}

function isPassing(error: DatabaseError): boolean {
  if (error instanceof AggregateError) return true;
  const { code } = error;
  if (code !== undefined && SQLSTATE.test(code) && !NO_CONNECTION.test(code)) return PASSING.test(code);
  return NO_CONNECTION.test(code ?? '') || NO_CONNECTION.test(error.message);
}

/** Whether Postgres will refuse these values for ever. */
export function isPoison(error: unknown): error is StatementError {
  return error instanceof StatementError && REFUSED_FOR_EVER.test(error.code ?? '');
}

/** Whether a prepared statement gives other columns by now than when it was prepared. */
export function isStalePlan(error: unknown): boolean {
  return error instanceof Error && (error as DatabaseError).code === '0A000' && error.message.includes('cached plan');
}
