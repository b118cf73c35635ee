import * as z from 'zod/mini';
import { PAGE_MAX } from '../limits.ts';
import { positionSchema } from '../position.ts';
import { idSchema, levelSchema } from '../words.ts';

// What the schemas of several procedures are made of.

export const limit = (byDefault: number) => z._default(z.int().check(z.gte(1), z.lte(PAGE_MAX)), byDefault);
export const ids = (max: number) => z.array(idSchema).check(z.maxLength(max));
export const epoch = z.int().check(z.gte(0));

/**
 * How a durable operation is repeated safely. The same id again gives the same answer. `epoch` is the one in which the unpersisted
 * forerunners were confirmed: in another one the call is refused with `CONFLICT`. `triedIn` is the epoch of the first try: in a later
 * one the server looks the operation up in Postgres before it accepts it again.
 */
export const operationSchema = z.object({ id: idSchema, epoch: z.optional(epoch), triedIn: z.optional(epoch) });
export type Operation = z.infer<typeof operationSchema>;
export const op = z.optional(operationSchema);

export const page = <T extends z.ZodMiniType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.nullable(z.string()) });

/** Every answer to a durable operation carries the current epoch. */
export const inEpoch = { epoch: z.number() };

/** Where a durable change came to stand; null when the channel was so already and nothing was written. */
export const settled = { ...inEpoch, position: z.nullable(positionSchema), level: levelSchema };
