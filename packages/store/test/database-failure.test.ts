import { Failure } from '@parley/domain';
import { describe, expect, it } from 'vitest';
import { databaseFailure, isPoison, StatementError } from '../src/database-failure.ts';

const failing = (fields: { code?: string; message?: string; constraint?: string; detail?: string }) =>
  databaseFailure('drain', Object.assign(new Error(fields.message ?? 'x'), fields));

describe('[DEG-52] an error of Postgres', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'])('%s: the database is away', (code) => {
    expect(failing({ code })).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1000 });
  });

  it.each(['08006', '40P01', '53300', '57P01', '57P03', '57014', '55P03', '25006'])('%s passes', (code) => {
    expect(failing({ code })).toBeInstanceOf(Failure);
  });

  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])(
    '"%s" passes',
    (message) => expect(failing({ message })).toBeInstanceOf(Failure),
  );

  it.each(['22021', '22P05', '23505', '23514', '23503'])('%s is for ever', (code) => {
    const error = failing({ code, constraint: 'messages_pkey' });
    expect(error).not.toBeInstanceOf(Failure);
    expect(isPoison(error)).toBe(true);
  });

  it('42P01 is neither', () => {
    const error = failing({ code: '42P01', message: 'relation "x" does not exist' });
    expect(error).toBeInstanceOf(StatementError);
    expect(isPoison(error)).toBe(false);
    expect(error.message).toBe('drain was refused: 42P01 (relation "x" does not exist)');
  });

  it('says the place, and nothing of what was written', () => {
    const error = failing({
      code: '23505',
      constraint: 'messages_pkey',
      message: 'duplicate key: hunter2',
      detail: 'Key (body)=(hunter2) already exists.',
    });
    expect(error.message).toBe('drain was refused: 23505 at messages_pkey');
    expect(JSON.stringify({ ...error, cause: error.cause })).not.toContain('hunter2');
  });

  it('a failure stays what it is', () => {
    const failure = new Failure('INVALID', 'no');
    expect(databaseFailure('x', failure)).toBe(failure);
  });
});
