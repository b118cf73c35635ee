import * as z from 'zod/mini';
import { channelSchema, channelSummarySchema } from '../entities.ts';
import {
  CHANNEL_LIST_DEFAULT,
  MEMBERS_PER_CALL_MAX,
  NAME_MAX_CHARS,
  PAGE_DEFAULT,
  SEARCH_MAX_CHARS,
  TOPIC_MAX_CHARS,
} from '../limits.ts';
import { channelKindSchema, cursorSchema, idSchema, textSchema, urlSchema } from '../words.ts';
import { ids, inEpoch, limit, op, page, settled } from './shapes.ts';

export const channelInputs = {
  'channel.create': z.object({
    kind: channelKindSchema,
    name: z.optional(textSchema(1, NAME_MAX_CHARS)),
    memberIds: ids(MEMBERS_PER_CALL_MAX),
    encrypted: z.optional(z.boolean()),
    clientId: z.optional(idSchema),
    op,
  }),
  'channel.list': z._default(z.object({ cursor: z.optional(cursorSchema), limit: limit(CHANNEL_LIST_DEFAULT) }), {
    limit: CHANNEL_LIST_DEFAULT,
  }),
  'channel.get': z.object({ channelId: idSchema }),
  'channel.browse': z._default(
    z.object({
      query: z.optional(textSchema(1, SEARCH_MAX_CHARS)),
      cursor: z.optional(cursorSchema),
      limit: limit(PAGE_DEFAULT),
    }),
    { limit: PAGE_DEFAULT },
  ),
  'channel.stats': z.object({ channelId: idSchema }),
  'channel.update': z.object({
    channelId: idSchema,
    name: z.optional(z.nullable(textSchema(1, NAME_MAX_CHARS))),
    topic: z.optional(z.nullable(textSchema(0, TOPIC_MAX_CHARS))),
    avatarUrl: z.optional(z.nullable(urlSchema)),
    op,
  }),
  'channel.archive': z.object({ channelId: idSchema, archived: z._default(z.boolean(), true), op }),
  'channel.mute': z.object({ channelId: idSchema, until: z.nullable(z.int().check(z.gte(0))) }),
  'channel.join': z.object({ channelId: idSchema, op }),
  'channel.leave': z.object({ channelId: idSchema, op }),
  'channel.invite': z.object({
    channelId: idSchema,
    userIds: ids(MEMBERS_PER_CALL_MAX).check(z.minLength(1)),
    op,
  }),
  'channel.invitations': z.optional(z.object({})),
};

export const channelAnswers = {
  'channel.create': z.extend(channelSchema, inEpoch),
  'channel.list': page(channelSummarySchema),
  'channel.get': channelSummarySchema,
  'channel.browse': page(channelSchema),
  'channel.stats': z.object({
    messages: z.number(),
    members: z.number(),
    /** Members who sent something in the days of `perDay`. */
    activeMembers: z.number(),
    /** The last 30 days, in UTC, oldest first; days without messages are left out. */
    perDay: z.array(z.object({ day: z.string(), messages: z.number() })),
  }),
  'channel.update': z.extend(channelSchema, settled),
  'channel.archive': z.extend(channelSchema, settled),
  'channel.mute': z.object({ muted: z.boolean(), until: z.nullable(z.number()) }),
  'channel.join': z.extend(channelSummarySchema, settled),
  'channel.leave': z.object(settled),
  /** Those who are invited now; who is a member already is not among them. */
  'channel.invite': z.object({ ...inEpoch, invited: z.array(idSchema) }),
  'channel.invitations': z.array(z.object({ channel: channelSchema, invitedBy: idSchema, invitedAt: z.number() })),
};
