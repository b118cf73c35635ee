import { randomUUID } from 'node:crypto';
import { Failure } from '@parley/domain';
import { ERROR_CODES, type ErrorCode, type FailureData } from '@parley/protocol';
import { type TRPCDefaultErrorShape, TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import type { ErrorShape } from './context.ts';

/** What tRPC itself refuses a call with, before any procedure runs. */
const OWN_CODES: Partial<Record<TRPCError['code'], ErrorCode>> = {
  NOT_FOUND: 'NOT_FOUND',
  PARSE_ERROR: 'INVALID',
  BAD_REQUEST: 'INVALID',
  METHOD_NOT_SUPPORTED: 'INVALID',
  UNSUPPORTED_MEDIA_TYPE: 'INVALID',
  UNPROCESSABLE_CONTENT: 'INVALID',
  PAYLOAD_TOO_LARGE: 'TOO_LARGE',
  UNAUTHORIZED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  TOO_MANY_REQUESTS: 'RATE_LIMITED',
  SERVICE_UNAVAILABLE: 'UNAVAILABLE',
  CLIENT_CLOSED_REQUEST: 'UNKNOWN_RETRY',
  TIMEOUT: 'UNKNOWN_RETRY',
};

/** Why a call failed. Without a code the reason is ours alone, and the client gets an id to name it by. */
export interface Reason {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly failure: Failure | null;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[];
}

function issuesOf(cause: unknown): readonly Issue[] | null {
  if (!(cause instanceof Error) || !('issues' in cause) || !Array.isArray(cause.issues)) return null;
  return cause.issues;
}

/** Reads the reason off an error that tRPC caught. */
export function reasonOf(error: TRPCError): Reason {
  const failure = error.cause instanceof Failure ? error.cause : null;
  if (failure) return { code: failure.code, message: failure.message, failure };
  const issues = error.code === 'BAD_REQUEST' ? issuesOf(error.cause) : null;
  if (issues) {
    const tooLarge = issues.some((issue) => issue.message === 'TOO_LARGE');
    return { code: tooLarge ? 'TOO_LARGE' : 'INVALID', message: describe(issues), failure: null };
  }
  const own = OWN_CODES[error.code] ?? null;
  return { code: own, message: own ? error.message : 'something went wrong here', failure: null };
}

function describe(issues: readonly Issue[]): string {
  const lines = issues.slice(0, 5).map((issue) => `${(issue.path ?? []).join('.') || 'input'}: ${issue.message}`);
  return lines.join('; ').slice(0, 500);
}

const errorIds = new WeakMap<Error, string>();

/** The id by which client and log name the same error. */
export function errorIdOf(error: Error): string {
  const present = errorIds.get(error);
  if (present) return present;
  const made = randomUUID();
  errorIds.set(error, made);
  return made;
}

/** tRPC's error formatter. */
export function formatError({ shape, error }: { shape: TRPCDefaultErrorShape; error: TRPCError }): ErrorShape {
  const { code: known, message, failure } = reasonOf(error);
  // Nobody can say how far a call came that failed for a reason of our own.
  const code = known ?? 'UNKNOWN_RETRY';
  const { retryable, trpc } = ERROR_CODES[code];
  const trpcCode = known ? trpc : 'INTERNAL_SERVER_ERROR';
  const parley: FailureData = {
    code,
    retryable,
    ...(failure?.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
    ...(failure?.epoch !== undefined && { epoch: failure.epoch }),
    ...(!known && { errorId: errorIdOf(error) }),
  };
  return {
    message,
    code: TRPC_ERROR_CODES_BY_KEY[trpcCode],
    data: {
      code: trpcCode,
      httpStatus: getHTTPStatusCodeFromError(new TRPCError({ code: trpcCode })),
      ...(shape.data.path !== undefined && { path: shape.data.path }),
      parley,
    },
  };
}
