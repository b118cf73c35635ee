import * as z from 'zod/mini';
import { attachmentSchema } from '../entities.ts';
import { FILE_NAME_MAX_CHARS } from '../limits.ts';
import { idSchema, textSchema } from '../words.ts';

export const attachmentInputs = {
  'attachment.create': z.object({
    channelId: idSchema,
    fileName: textSchema(1, FILE_NAME_MAX_CHARS),
    contentType: z.string().check(z.maxLength(100), z.regex(/^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/)),
    byteSize: z.int().check(z.gte(1)),
  }),
  'attachment.complete': z.object({ attachmentId: idSchema }),
  'attachment.url': z.object({ attachmentId: idSchema }),
};

export const attachmentAnswers = {
  /** PUT the bytes to `upload.url` with these headers, then call `attachment.complete`. */
  'attachment.create': z.object({
    attachmentId: idSchema,
    upload: z.object({ url: z.string(), headers: z.record(z.string(), z.string()) }),
    expiresAt: z.number(),
  }),
  'attachment.complete': attachmentSchema,
  'attachment.url': z.object({ url: z.string(), thumbnailUrl: z.nullable(z.string()), expiresAt: z.number() }),
};
