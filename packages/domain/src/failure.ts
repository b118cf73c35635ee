import { ERROR_CODES, type ErrorCode } from '@parley/protocol';

interface FailureDetail {
  /** For the log only; a client never sees it. */
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  /** The current epoch, with `CONFLICT`. */
  readonly epoch?: number;
}

/** The one error that use cases and adapters throw on purpose. `message` is written for the client. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly epoch: number | undefined;

  constructor(code: ErrorCode, message: string, detail: FailureDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.retryAfterMs = detail.retryAfterMs;
    this.epoch = detail.epoch;
  }
}
