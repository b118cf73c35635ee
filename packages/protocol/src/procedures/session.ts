import * as z from 'zod/mini';

export const sessionInputs = {
  'session.refresh': z.object({ token: z.string().check(z.minLength(1), z.maxLength(8_192)) }),
  'session.ticket': z.optional(z.object({})),
};

export const sessionAnswers = {
  'session.refresh': z.object({ expiresAt: z.number() }),
  /** Opens one SSE connection, once, until `expiresAt`. */
  'session.ticket': z.object({ ticket: z.string(), expiresAt: z.number() }),
};
