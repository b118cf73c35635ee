import { ERROR_CODES, type ErrorCode } from '@parley/protocol';

/** How loud a log is about a failure. */
export type FailureLevel = 'debug' | 'info' | 'warn' | 'error';

interface FailureDetail {
  /** For the log only; a client never sees it. */
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  /** The current epoch, with `CONFLICT`. */
  readonly epoch?: number;
  /** Who throws knows whether anybody should be woken for it. Default: `debug` when there is a cause, else nothing is written. */
  readonly level?: FailureLevel;
}

/** The one error that use cases and adapters throw on purpose. `message` is written for the client. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly epoch: number | undefined;
  readonly level: FailureLevel | undefined;

  constructor(code: ErrorCode, message: string, detail: FailureDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.retryAfterMs = detail.retryAfterMs;
    this.epoch = detail.epoch;
    this.level = detail.level ?? (detail.cause === undefined ? undefined : 'debug');
  }
}
