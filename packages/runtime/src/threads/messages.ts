import * as z from 'zod';

/** What a supervisor asks a thread. `command` is the application's own. */
export const questionSchema = z.object({
  question: z.number(),
  ask: z.enum(['ping', 'metrics', 'drain', 'command']),
  command: z.unknown().optional(),
});
export type Question = z.infer<typeof questionSchema>;

/** What a thread says: once that it serves, and an answer to each question. */
export const sayingSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ answerTo: z.number(), value: z.unknown() }),
  z.object({ answerTo: z.number(), error: z.string() }),
]);
export type Saying = z.infer<typeof sayingSchema>;
