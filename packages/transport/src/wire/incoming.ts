import { TRPCError } from '@trpc/server';
import { parseConnectionParamsFromUnknown } from '@trpc/server/http';
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from '@trpc/server/rpc';
import type { Wire } from './wire.ts';

export type ConnectionParams = ReturnType<typeof parseConnectionParamsFromUnknown>;

/** A call that waits for an answer, as far as it can be understood. */
export interface Waiting {
  readonly id: number | string;
  readonly jsonrpc: '2.0' | undefined;
}

/** What a frame turned out to say. */
export type Incoming =
  | { readonly type: 'calls'; readonly messages: readonly TRPCClientOutgoingMessage[] }
  /** More calls than one frame may hold: these wait for an answer. */
  | { readonly type: 'too many'; readonly waiting: readonly Waiting[] }
  | { readonly type: 'garbage'; readonly cause: unknown };

/** Understands a frame, or says why it cannot. One call that makes no sense spoils the frame. */
export function readFrame(wire: Wire, said: string | Uint8Array): Incoming {
  try {
    const decoded = wire.decode(said);
    const { maxBatchSize } = wire.options;
    if (Array.isArray(decoded) && typeof maxBatchSize === 'number' && decoded.length > maxBatchSize) {
      return { type: 'too many', waiting: decoded.flatMap(waitingOf) };
    }
    const messages: unknown[] = Array.isArray(decoded) ? decoded : [decoded];
    return { type: 'calls', messages: messages.map((message) => parseTRPCMessage(message, wire.transformer)) };
  } catch (cause) {
    return { type: 'garbage', cause };
  }
}

/** What a client says of itself in its first frame. Throws a `TRPCError` when it says nothing of the kind. */
export function readParams(wire: Wire, said: string | Uint8Array): ConnectionParams {
  let message: unknown;
  try {
    message = wire.decode(said);
    if (!isRecord(message)) throw new Error('Message was not an object');
  } catch (cause) {
    throw new TRPCError({ code: 'PARSE_ERROR', message: 'Malformed TRPCConnectionParamsMessage', cause });
  }
  return parseConnectionParamsFromUnknown(message.data);
}

/** Whether the client will say something of itself before it calls. */
export function announcesParams(url = ''): boolean {
  const query = url.indexOf('?');
  return query >= 0 && new URLSearchParams(url.slice(query + 1)).get('connectionParams') === '1';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function waitingOf(message: unknown): Waiting[] {
  if (!isRecord(message) || message.method === 'subscription.stop') return [];
  const { id, jsonrpc } = message;
  if (typeof id !== 'number' && typeof id !== 'string') return [];
  return [{ id, jsonrpc: jsonrpc === '2.0' ? jsonrpc : undefined }];
}
