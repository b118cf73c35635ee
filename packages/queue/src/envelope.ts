import * as z from 'zod';
import { JOB_VERSION, type JobDefinition } from './catalog.ts';

const envelopeSchema = z.looseObject({ v: z.int().min(0) });

/** What a worker makes of a job's data. `newer`: a later build wrote it, and a later worker is to run it. */
export type Opened<P> =
  | { readonly type: 'payload'; readonly payload: P }
  | { readonly type: 'newer'; readonly v: number }
  | { readonly type: 'malformed'; readonly reason: string };

/** Puts a payload in the shape that is stored. Throws for one that no worker would run. */
export function wrap<P extends object>(definition: JobDefinition<P>, payload: P): { v: number } & P {
  return { v: JOB_VERSION, ...definition.payload.parse(payload) };
}

/** Reads what was stored. The version is read before anything else: a newer payload may have any other shape. */
export function open<P>(definition: JobDefinition<P>, data: unknown): Opened<P> {
  const envelope = envelopeSchema.safeParse(data);
  if (!envelope.success) return { type: 'malformed', reason: z.prettifyError(envelope.error) };
  if (envelope.data.v > JOB_VERSION) return { type: 'newer', v: envelope.data.v };
  const payload = definition.payload.safeParse(data);
  if (!payload.success) return { type: 'malformed', reason: z.prettifyError(payload.error) };
  return { type: 'payload', payload: payload.data };
}
