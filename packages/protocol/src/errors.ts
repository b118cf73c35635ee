import * as z from 'zod/mini';

/**
 * Every code a call can fail with. `retryable` says whether the same call may succeed later, unchanged.
 * Codes are never renamed and never reused.
 */
export const ERROR_CODES = {
  NOT_FOUND: { retryable: false, trpc: 'NOT_FOUND' },
  FORBIDDEN: { retryable: false, trpc: 'FORBIDDEN' },
  INVALID: { retryable: false, trpc: 'BAD_REQUEST' },
  TOO_LARGE: { retryable: false, trpc: 'PAYLOAD_TOO_LARGE' },
  RATE_LIMITED: { retryable: true, trpc: 'TOO_MANY_REQUESTS' },
  CHANNEL_FULL: { retryable: false, trpc: 'CONFLICT' },
  SILENCED: { retryable: true, trpc: 'FORBIDDEN' },
  BACKPRESSURE: { retryable: true, trpc: 'SERVICE_UNAVAILABLE' },
  UNAVAILABLE: { retryable: true, trpc: 'SERVICE_UNAVAILABLE' },
  UNKNOWN_RETRY: { retryable: true, trpc: 'TIMEOUT' },
  TOKEN_EXPIRED: { retryable: true, trpc: 'UNAUTHORIZED' },
  UNAUTHENTICATED: { retryable: false, trpc: 'UNAUTHORIZED' },
  CONFLICT: { retryable: true, trpc: 'CONFLICT' },
  PROTOCOL: { retryable: false, trpc: 'BAD_REQUEST' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What a failed call carries as `error.data.parley`. */
export const failureDataSchema = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  retryable: z.boolean(),
  /** How long to wait before the same call is worth trying again. */
  retryAfterMs: z.optional(z.number()),
  /** The current epoch, with `CONFLICT`. */
  epoch: z.optional(z.number()),
  /** Names the server's log line of an error that has no other explanation for the client. */
  errorId: z.optional(z.string()),
});
export type FailureData = z.infer<typeof failureDataSchema>;

/**
 * Close codes of the socket. A client comes back after 4000–4499 and does not after 4500–4999.
 * Codes are never reused.
 */
export const CLOSE_CODES = {
  DRAIN: 4001,
  TOKEN_EXPIRED: 4003,
  AUTH_TIMEOUT: 4004,
  SLOW: 4008,
  TOO_MANY: 4029,
  UNAUTHENTICATED: 4501,
  REVOKED: 4503,
  PROTOCOL_TOO_OLD: 4504,
  FRAME_TOO_LARGE: 1009,
  RESTART: 1012,
} as const;

/** Whether a client should connect again after this close code. */
export function comesBack(closeCode: number): boolean {
  return closeCode < 4500 || closeCode > 4999;
}
