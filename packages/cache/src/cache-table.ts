import type { ClearableName, CopyName, CopyShapes } from '@parley/domain';
import {
  answers,
  channelSchema,
  idSchema,
  memberSchema,
  messageSchema,
  positionSchema,
  userSchema,
} from '@parley/protocol';
import * as z from 'zod/mini';

/**
 * How copies of one kind are kept. `version`: its key names a version of what it copies, so that nothing has to be forgotten.
 * `generation`: whoever changes it says so, and a refill that began before is not kept. `time`: it may be as old as its TTL.
 */
type Validity = 'version' | 'generation' | 'time';

interface Cache<T> {
  /** What the key is made of. */
  readonly key: string;
  readonly ttlS: number;
  /** The part of the TTL that is random, so that what was kept together does not end together. */
  readonly jitter: number;
  readonly validity: Validity;
  /** Another number for another shape: builds side by side do not read each other's. */
  readonly shape: number;
  /** Read anew by one thread, while the others go on, when this part of its TTL is left. */
  readonly renewAt?: number;
  /** The use case that lives on it. */
  readonly owner: string;
  readonly schema: z.ZodMiniType<T>;
}

const page = <T extends z.ZodMiniType>(item: T) => ({ items: z.array(item), nextCursor: z.nullable(z.string()) });
const head = z.object({ channelId: idSchema, head: z.nullable(positionSchema) });
const storedMessage = z.extend(messageSchema, {
  reactors: z.record(z.string(), z.array(idSchema)),
  thread: z.exactOptional(z.object({ messageId: idSchema, replyCount: z.number() })),
});
const own = z.object({ id: idSchema, createdAt: z.number(), mutedUntil: z.nullable(z.number()) });

/** Every cache that there is. `docs/caches.md` says the same in words. */
export const CACHES: { readonly [K in CopyName]: Cache<CopyShapes[K]> } = {
  sets: {
    key: 'user',
    ttlS: 300,
    jitter: 0.1,
    validity: 'generation',
    shape: 1,
    owner: 'channel.list, channel.get, inbox',
    schema: z.nullable(z.array(own)),
  },
  channels: {
    key: 'channel:epoch:version',
    ttlS: 300,
    jitter: 0.1,
    validity: 'version',
    shape: 1,
    owner: 'channel.list, channel.get, inbox',
    schema: z.object({ channel: channelSchema, memberIds: z.array(idSchema) }),
  },
  tips: {
    key: 'channel:epoch:head',
    ttlS: 300,
    jitter: 0.1,
    validity: 'version',
    shape: 1,
    owner: 'channel.list, channel.get, inbox',
    schema: z.nullable(storedMessage),
  },
  members: {
    key: 'channel:epoch:version:page',
    ttlS: 1_800,
    jitter: 0.1,
    validity: 'version',
    shape: 1,
    owner: 'member.list',
    schema: z.object(page(z.omit(memberSchema, { user: true }))),
  },
  users: {
    key: 'user',
    ttlS: 300,
    jitter: 0.1,
    validity: 'generation',
    shape: 1,
    owner: 'user.get, and wherever profiles are shown',
    schema: userSchema,
  },
  contacts: {
    key: 'user',
    ttlS: 600,
    jitter: 0.1,
    validity: 'generation',
    shape: 1,
    owner: 'user.contacts',
    schema: z.array(idSchema),
  },
  stats: {
    key: 'channel',
    ttlS: 600,
    jitter: 0.1,
    validity: 'time',
    shape: 1,
    renewAt: 0.1,
    owner: 'channel.stats',
    schema: answers['channel.stats'],
  },
  search: {
    key: 'user:question',
    ttlS: 30,
    jitter: 0,
    validity: 'time',
    shape: 1,
    owner: 'message.search',
    schema: z.object({ ...page(storedMessage), heads: z.array(head) }),
  },
  pages: {
    key: 'channel:epoch:head:page',
    ttlS: 120,
    jitter: 0.1,
    validity: 'version',
    shape: 1,
    owner: 'message.page beyond the window',
    schema: z.object({ items: z.array(storedMessage), hasBefore: z.boolean(), hasAfter: z.boolean() }),
  },
};

const CLEARABLE: readonly string[] = ['tips', 'pages', 'search', 'contacts'] satisfies ClearableName[];

/** Whether a cache can be cleared as a whole. */
export function isClearable(name: CopyName): name is ClearableName {
  return CLEARABLE.includes(name);
}

/** The names of all caches. */
export const CACHE_NAMES: readonly string[] = Object.keys(CACHES);
