import * as z from 'zod/mini';
import { reactionSchema } from '../entities.ts';
import { emojiSchema, idSchema } from '../words.ts';
import { op, settled } from './shapes.ts';

const reaction = z.object({ channelId: idSchema, messageId: idSchema, emoji: emojiSchema, op });
const after = z.object({ ...settled, reactions: z.array(reactionSchema) });

export const reactionInputs = { 'reaction.add': reaction, 'reaction.remove': reaction };
/** The message's reactions as they are now. */
export const reactionAnswers = { 'reaction.add': after, 'reaction.remove': after };
