import type { IncomingMessage } from 'node:http';
import {
  type AnyRouter,
  getErrorShape,
  getTRPCErrorFromUnknown,
  type ProcedureType,
  type TRPCError,
  transformTRPCResponse,
} from '@trpc/server';
import { jsonEncoder, type WSSHandlerOptions } from '@trpc/server/adapters/ws';
import { TRPC_ERROR_CODES_BY_KEY, type TRPCResponseMessage } from '@trpc/server/rpc';
import type { Serialize } from './publication.ts';

/** How a router is served: the words of tRPC's own adapter, but that nobody is told of a request who has not asked for it. */
export type WireOptions<TRouter extends AnyRouter = AnyRouter> = Omit<
  WSSHandlerOptions<TRouter>,
  'wss' | 'prefix' | 'onError'
> & {
  /** Whether errors are told with the upgrade request, which is then kept as long as its socket: a kilobyte and more. */
  readonly keepsRequest: boolean;
  onError?(complaint: Complaint): unknown;
};

/** A call as far as an error of it tells. */
export interface CallOfError {
  readonly path: string | undefined;
  readonly type: ProcedureType | 'unknown';
  readonly input: unknown;
}

/** An error, and whose it is. */
export interface Complaint extends CallOfError {
  readonly error: TRPCError;
  readonly ctx: unknown;
  /** The upgrade request, where it is kept. */
  readonly req: IncomingMessage | null;
}

export type Answer = TRPCResponseMessage;

/** An error that came up in no call. */
export const NO_CALL: CallOfError = { path: undefined, type: 'unknown', input: undefined };

/** What a client is told whose error can be neither formatted nor encoded: nothing of it. */
export const FALLBACK_SHAPE = {
  code: TRPC_ERROR_CODES_BY_KEY.INTERNAL_SERVER_ERROR,
  message: 'Internal server error',
  data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 },
};

/** What all connections of one router share: how answers are said, and to whom errors are told. */
export class Wire {
  readonly options: WireOptions;
  readonly serialize: Serialize;
  /** Whether answers are JSON in text frames, so that a publication can be encoded once for all. */
  readonly saysJson: boolean;
  readonly #encoder: NonNullable<WireOptions['experimental_encoder']>;

  constructor(options: WireOptions) {
    this.options = options;
    this.#encoder = options.experimental_encoder ?? jsonEncoder;
    this.saysJson = this.#encoder.encode === jsonEncoder.encode;
    const { output } = this.#config.transformer;
    this.serialize = (value) => output.serialize(value);
  }

  get router(): AnyRouter {
    return this.options.router;
  }

  get #config() {
    return this.options.router._def._config;
  }

  get transformer() {
    return this.#config.transformer;
  }

  encode(answer: Answer): string | Uint8Array {
    return this.#encoder.encode(transformTRPCResponse(this.#config, answer));
  }

  /** Throws when the bytes say nothing that can be understood. */
  decode(bytes: string | Uint8Array): unknown {
    return this.#encoder.decode(bytes);
  }

  /** Tells the application of an error. One in the telling goes no further. */
  complain(complaint: Complaint): void {
    this.#tell(complaint, () => undefined);
  }

  /** The same for what went wrong in the handling of errors itself: that is never dropped silently. */
  complainOfOurselves(complaint: Complaint): void {
    const warn = () => process.emitWarning(complaint.error);
    if (this.options.onError) this.#tell(complaint, warn);
    else warn();
  }

  /** An error as the client is told it: as the router's formatter has it, if that does not fail. */
  shapeOf(complaint: Complaint) {
    const { req: _, ...told } = complaint;
    try {
      return getErrorShape({ config: this.#config, ...told });
    } catch (cause) {
      this.complainOfOurselves({ ...complaint, error: getTRPCErrorFromUnknown(cause) });
      return FALLBACK_SHAPE;
    }
  }

  #tell(complaint: Complaint, onFailure: (cause: unknown) => void): void {
    try {
      const told: unknown = this.options.onError?.(complaint);
      if (told instanceof Promise) told.catch(onFailure);
    } catch (cause) {
      onFailure(cause);
    }
  }
}
