import { createECDH } from 'node:crypto';
import { answers, inputs, PROCEDURE_KINDS } from '@parley/protocol';
import {
  createTRPCClient,
  type createTRPCUntypedClient,
  getUntypedClient,
  httpBatchLink,
  TRPCClientError,
} from '@trpc/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appRouter } from '../src/router.ts';
import { startAdmin, until } from './admin-rig.ts';
import { CALLERS, type Caller, outcomeOf, ROWS, type Row, type Scene } from './authorisation-rows.ts';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
const users = {} as Record<Caller | 'other' | 'outsider', Chatter>;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', ...vapid() });
  await stack.startWorker();
  for (const name of [...CALLERS, 'other', 'outsider'] as const) users[name] = await stack.user(name);
}, 60_000);

afterAll(() => stack?.[Symbol.asyncDispose]());

/** Keys to push with: without them nobody may subscribe. */
function vapid() {
  const pair = createECDH('prime256v1');
  const VAPID_PUBLIC_KEY = pair.generateKeys('base64url');
  // Leading zeros are left out of a private key.
  const VAPID_PRIVATE_KEY = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()])
    .subarray(-32)
    .toString('base64url');
  return { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT: 'mailto:nobody@example.org' };
}

/** A group of its own for every call, so that none changes what another one meets. */
async function sceneFor(caller: Caller): Promise<Scene> {
  const { owner, admin, moderator, guest, silenced, member, other, outsider } = users;
  const memberIds = [admin, moderator, member, guest, silenced, other].map(({ userId }) => userId);
  const { id: channelId } = await owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds });
  const speaker = caller === 'stranger' ? owner : users[caller];
  const own = await speaker.trpc.message.send.mutate(text(channelId, 'own'));
  const theirs = await other.trpc.message.send.mutate(text(channelId, 'theirs'));
  const set = (user: Chatter, role: 'admin' | 'moderator' | 'guest') =>
    owner.trpc.member.setRole.mutate({ channelId, userId: user.userId, role });
  await set(other, 'guest');
  if (caller === 'admin' || caller === 'moderator' || caller === 'guest') await set(users[caller], caller);
  if (caller === 'silenced') {
    const until = Date.now() + 600_000;
    await owner.trpc.member.silence.mutate({ channelId, userId: silenced.userId, until });
  }
  const open = await owner.trpc.channel.create.mutate({ kind: 'public', name: 'p', memberIds: [] });
  return {
    channelId,
    ownMessageId: own.messageId,
    otherMessageId: theirs.messageId,
    head: theirs.position,
    otherId: other.userId,
    outsiderId: outsider.userId,
    publicChannelId: open.id,
  };
}

type Untyped = ReturnType<typeof createTRPCUntypedClient>;

/** `ok`, or the code of the refusal. */
async function call(client: Untyped, path: string, input: unknown): Promise<string> {
  try {
    if (path.startsWith('feed.')) await firstEvent(client, path, input);
    else await client[PROCEDURE_KINDS[path as keyof typeof PROCEDURE_KINDS]](path, input);
    return 'ok';
  } catch (error) {
    if (error instanceof TRPCClientError && error.data?.parley) return error.data.parley.code;
    throw error;
  }
}

function firstEvent(client: Untyped, path: string, input: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = client.subscription(path, input, {
      onData: () => {
        subscription.unsubscribe();
        resolve();
      },
      onError: reject,
    });
  });
}

function httpClient(token: string | null): Untyped {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return getUntypedClient(createTRPCClient({ links: [httpBatchLink({ url: `${stack.url}/trpc`, headers })] }));
}

// The router names its procedures by path; its type only by their nesting.
const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>;
const paths = Object.keys(procedures).filter((path) => path !== 'session.refresh');

describe('who may call what', () => {
  it('[AUTH-80] every procedure has a row, every row a procedure, every schema both', () => {
    expect(Object.keys(ROWS).sort()).toEqual(paths.toSorted());
    expect(Object.keys(inputs).sort()).toEqual([...paths, 'session.refresh'].sort());
    const feeds = paths.filter((path) => path.startsWith('feed.'));
    expect([...Object.keys(answers), ...feeds].sort()).toEqual([...paths, 'session.refresh'].sort());
    const kinds = Object.entries(procedures).map(([path, each]) => [path, each._def.type]);
    const told = { ...PROCEDURE_KINDS, 'feed.channel': 'subscription', 'feed.inbox': 'subscription' };
    expect(Object.fromEntries(kinds)).toEqual(told);
  });

  /** Calls each of these as this caller, in a scene of its own. */
  async function outcomes(client: Untyped, caller: Caller, rows: readonly (readonly [string, Row])[]) {
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [path, row] of rows) {
      const scene = await sceneFor(caller);
      found[path] = await call(client, path, row.input(scene));
      expected[path] = outcomeOf(row, caller);
    }
    return { found, expected };
  }

  it.each(CALLERS)(
    '[AUTH-81] %s: every procedure over the socket',
    async (caller) => {
      const { found, expected } = await outcomes(getUntypedClient(users[caller].trpc), caller, Object.entries(ROWS));
      expect(found).toEqual(expected);
    },
    60_000,
  );

  it.each(CALLERS)(
    '[AUTH-82] %s: the same over HTTP',
    async (caller) => {
      const calls = Object.entries(ROWS).filter(([path]) => !path.startsWith('feed.'));
      const { found, expected } = await outcomes(httpClient(users[caller].token), caller, calls);
      expect(found).toEqual(expected);
    },
    60_000,
  );

  it('[AUTH-83] nobody comes in without a token, or with one that has expired', async () => {
    const scene = await sceneFor('member');
    const expired = await stack.token('member', {}, -600);
    for (const [path, row] of Object.entries(ROWS).filter(([each]) => !each.startsWith('feed.'))) {
      expect([path, await call(httpClient(null), path, row.input(scene))]).toEqual([path, 'UNAUTHENTICATED']);
      expect([path, await call(httpClient(expired), path, row.input(scene))]).toEqual([path, 'TOKEN_EXPIRED']);
    }
  }, 60_000);

  it('[AUTH-84] nobody comes in whose sessions were revoked', async () => {
    await using admin = await startAdmin(stack);
    const { userId, token } = await stack.user('revoked');
    const scene = await sceneFor('member');
    // Control: until then he is a user like others.
    expect(await call(httpClient(token), 'user.me', undefined)).toBe('ok');
    await admin.call(`POST /v1/users/${userId}/revoke`);
    const me = () => call(httpClient(token), 'user.me', undefined);
    await until(me, (outcome) => outcome === 'UNAUTHENTICATED', 'it is known');
    for (const [path, row] of Object.entries(ROWS).filter(([each]) => !each.startsWith('feed.'))) {
      expect([path, await call(httpClient(token), path, row.input(scene))]).toEqual([path, 'UNAUTHENTICATED']);
    }
  }, 60_000);

  it('[AUTH-81] control: a row that is wrong would be seen', async () => {
    const scene = await sceneFor('guest');
    const row = { ...ROWS['channel.update'], least: 'guest' as const, input: () => ({}) };
    const input = ROWS['channel.update']?.input(scene);
    const found = await call(getUntypedClient(users.guest.trpc), 'channel.update', input);
    expect(found).not.toBe(outcomeOf(row, 'guest'));
  });
});
