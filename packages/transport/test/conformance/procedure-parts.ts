import { TRPCError } from '@trpc/server';
import { isRecord } from './is-record.ts';

/** A parser: an object, or nothing. */
export function asRecord(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new Error(`expected an object, got ${Array.isArray(value) ? 'array' : typeof value}`);
  return value;
}

/** A parser that changes what it takes. */
export function asShout(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('expected a string');
  return value.toUpperCase();
}

/** An output parser of a feed: every item must be a number. */
export async function* checkItems(feed: unknown): AsyncGenerator<number, void> {
  for await (const item of asFeed(feed)) {
    if (typeof item !== 'number') throw new TypeError('expected a number');
    yield item;
  }
}

const asFeed = (value: unknown) => value as AsyncIterable<unknown>;

/** How a pushable feed ends: as asked for, else it listens. */
export function asEnding(value: unknown): 'listens' | 'ends' | 'fails' | 'throws' {
  return value === 'ends' || value === 'fails' || value === 'throws' ? value : 'listens';
}

class TRPCErrorOfAnotherCopy extends Error {
  override readonly name = 'TRPCError';
  readonly code = 'CONFLICT';
}

const THROWN: Record<string, () => unknown> = {
  trpc: () => new TRPCError({ code: 'FORBIDDEN', message: 'not yours' }),
  cause: () => new TRPCError({ code: 'TIMEOUT', cause: new Error('it took too long') }),
  copy: () => new TRPCErrorOfAnotherCopy('from another copy'),
  error: () => new RangeError('out of range'),
  string: () => 'a string',
  number: () => 7,
  object: () => ({ message: 'an object', extra: [1] }),
  bare: () => ({}),
  null: () => null,
  undefined: () => undefined,
  function: () => () => 1,
  abort: () => new DOMException('given up', 'AbortError'),
  unformattable: () => new TRPCError({ code: 'BAD_REQUEST', message: 'unformattable' }),
  unencodable: () => new TRPCError({ code: 'BAD_REQUEST', message: 'unencodable' }),
};

/** The names of what `throwAs` throws. */
export const THROWN_KINDS = Object.keys(THROWN);

/** Throws what goes by the name. */
export function throwAs(kind: unknown): never {
  throw THROWN[String(kind)]?.();
}
