import { type FailureData, failureDataSchema } from '@parley/protocol';
import { TRPCClientError } from '@trpc/client';

/**
 * What the server said when it refused a call. Null when it said nothing: the socket was lost, the call took too long, or the error is
 * not a call's. Then the outcome is unknown, and the same call may be tried again.
 */
export function failureOf(error: unknown): FailureData | null {
  if (!(error instanceof TRPCClientError)) return null;
  const parsed = failureDataSchema.safeParse(error.data?.parley);
  return parsed.success ? (parsed.data as FailureData) : null;
}
