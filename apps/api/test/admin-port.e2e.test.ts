import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../src/ids.ts';
import { contradictions } from '../src/settings.ts';
import { type Admin, sqlOf, startAdmin } from './admin-rig.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
let admin: Admin;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  admin = await startAdmin(stack);
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** A call from another address of this machine. */
function callFrom(
  localAddress: string,
  authorization: string,
): Promise<{ status: number; retryAfter: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(admin.url);
    const call = request(
      { hostname, port, localAddress, path: '/v1/users', headers: { authorization } },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      },
    );
    call.on('error', reject);
    call.end();
  });
}

const code = (wanted: string) => ({
  error: { code: wanted, message: expect.any(String), retryable: expect.any(Boolean) },
});

describe('the door', () => {
  it('[ADMIN-1] lets in who has the token, and nobody else; a token of a user is none', async () => {
    expect((await admin.call('GET /v1/users')).status).toBe(200);
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${admin.token}`,
      `Bearer ${admin.token}x`,
      `Bearer ${admin.token.slice(1)}`,
    ];
    for (const authorization of [...wrong, `Bearer ${await stack.token('somebody')}`]) {
      const answer = await callFrom('127.0.0.7', authorization);
      expect(answer.status, authorization).toBe(401);
    }
    const { status, body } = await admin.call('GET /v1/users', undefined, { authorization: 'Bearer x' });
    expect({ status, body }).toEqual({ status: 401, body: code('UNAUTHENTICATED') });
    expect(await fetch(`${admin.url}/v1/users`).then((answer) => answer.status)).toBe(401);
  });

  it('[ADMIN-2] an address that has failed ten times within a minute is not listened to, whatever it brings; others are', async () => {
    for (let i = 0; i < 10; i++) expect((await callFrom('127.0.0.8', `Bearer guess ${i}`)).status).toBe(401);
    const right = `Bearer ${admin.token}`;
    const answer = await callFrom('127.0.0.8', right);
    expect(answer.status).toBe(429);
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect((await callFrom('127.0.0.9', right)).status).toBe(200);
  });

  it('[ADMIN-3] a token of fewer than 32 bytes is refused at the start', () => {
    const env = { AUTH_SECRET: 'x'.repeat(32) };
    expect(contradictions({ ...env, ADMIN_TOKEN: 'x'.repeat(31) })).toEqual([
      expect.stringMatching(/^ADMIN_TOKEN: .*32 bytes/),
    ]);
    expect(contradictions({ ...env, ADMIN_TOKEN: 'x'.repeat(32) })).toEqual([]);
    expect(contradictions(env)).toEqual([]);
  });

  it('[ADMIN-4] what is wrong with a call is said by code and status, and nothing of ours', async () => {
    const cases: [what: string, body: unknown, status: number, code: string][] = [
      ['GET /', undefined, 404, 'NOT_FOUND'],
      ['GET /v1/users/not-an-id', undefined, 404, 'NOT_FOUND'],
      [`GET /v1/users/${randomUUID()}`, undefined, 404, 'NOT_FOUND'],
      ['PUT /v1/users', undefined, 405, 'INVALID'],
      ['POST /v1/users', '{', 400, 'INVALID'],
      ['POST /v1/users', 'x'.repeat(70_000), 400, 'INVALID'],
      ['POST /v1/users', { name: 'a' }, 400, 'INVALID'],
      ['POST /v1/users', { sub: 's', name: 'a', admin: true }, 400, 'INVALID'],
      ['POST /v1/users', { sub: 's', name: 'a\u0000b' }, 400, 'INVALID'],
      ['POST /v1/users', { id: 'x', name: 'a' }, 400, 'INVALID'],
      ['POST /v1/announcements', { text: '' }, 400, 'INVALID'],
      ['GET /v1/users?limit=0', undefined, 400, 'INVALID'],
      ['GET /v1/users?cursor=AAAA', undefined, 400, 'INVALID'],
      ['GET /v1/users?nonsense=1', undefined, 400, 'INVALID'],
    ];
    for (const [what, body, status, wanted] of cases) {
      const answer = await admin.call(what, body);
      expect({ status: answer.status, body: answer.body }, what).toEqual({ status, body: code(wanted) });
    }
    expect((await admin.call('PUT /v1/users')).headers.get('allow')).toBe('POST, GET');
  });
});

describe('users', () => {
  it('[ADMIN-5] are made before they come: by id, or by the sub of their tokens; the first token says what they are called', async () => {
    const sub = randomUUID().slice(0, 13);
    const made = await admin.call('POST /v1/users', { sub, name: 'New here', email: 'new@example.org' });
    expect(made).toMatchObject({
      status: 201,
      body: { id: userIdOf(sub), name: 'New here', email: 'new@example.org', disabledAt: null, channels: 0 },
    });
    expect(await admin.call('POST /v1/users', { sub, name: 'Twice' })).toMatchObject({
      status: 409,
      body: code('CONFLICT'),
    });
    const other = await stack.user('other');
    await other.trpc.channel.create.mutate({ kind: 'direct', memberIds: [userIdOf(sub)] });
    const user = await stack.user(sub, { token: await stack.token(sub, { name: 'By token' }) });
    expect(await user.trpc.user.me.query()).toMatchObject({ id: userIdOf(sub), name: 'By token' });
    expect((await admin.call(`GET /v1/users/${userIdOf(sub)}`)).body).toMatchObject({ name: 'By token', channels: 1 });
    const id = randomUUID();
    expect(await admin.call('POST /v1/users', { id, name: 'By id' })).toMatchObject({ status: 201, body: { id } });
  });

  it('[ADMIN-6] users and channels are listed page by page, each once, newest first, and found by a part of their name', async () => {
    const mark = randomUUID().slice(0, 8);
    const owner = await stack.user('owner');
    for (let i = 0; i < 5; i++) {
      await admin.call('POST /v1/users', { id: randomUUID(), name: `${i} ${mark}` });
      await owner.trpc.channel.create.mutate({ kind: 'group', name: `${i} ${mark}`, memberIds: [] });
    }
    for (const list of ['users', 'channels']) {
      const names: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<Admin['call']>> = await admin.call(
          `GET /v1/${list}?query=${mark}&limit=2${cursor ? `&cursor=${cursor}` : ''}`,
        );
        names.push(...page.body.items.map(({ name }: { name: string }) => name));
        cursor = page.body.nextCursor;
      } while (cursor !== null);
      expect(names, list).toEqual([4, 3, 2, 1, 0].map((i) => `${i} ${mark}`));
      expect((await admin.call(`GET /v1/${list}?limit=3`)).body.items).toHaveLength(3);
    }
    const [channel] = (await admin.call(`GET /v1/channels?query=${mark}`)).body.items;
    expect((await admin.call(`GET /v1/channels/${channel.id}`)).body).toEqual(channel);
    expect(channel).toMatchObject({ kind: 'group', memberCount: 1, memberLimit: 100, head: null });
  });
});

describe('the audit', () => {
  it('[ADMIN-7] has every call: who, from where, what, to whom, and what became of it; a change also before it is tried', async () => {
    const id = randomUUID();
    await admin.call('POST /v1/users', { id, name: 'Audited name' }, { 'x-admin-actor': 'eve' });
    await admin.call(`POST /v1/users/${id}/disable`, undefined, { 'x-admin-actor': 'eve' });
    await admin.call(`GET /v1/users/${randomUUID()}`);
    const { items } = (await admin.call('GET /v1/audit?limit=5')).body;
    const of = (line: Record<string, unknown>) => expect.objectContaining(line);
    expect(items).toEqual([
      of({ actor: 'admin', action: 'user.get', outcome: 'NOT_FOUND' }),
      of({
        actor: 'eve',
        action: 'user.disable',
        target: id,
        outcome: 'ok',
        address: expect.stringMatching(/127\.0\.0\.1$/),
      }),
      of({ actor: 'eve', action: 'user.disable', target: id, outcome: null }),
      of({ actor: 'eve', action: 'user.create', target: null, outcome: 'ok' }),
      of({ actor: 'eve', action: 'user.create', target: null, outcome: null }),
    ]);
    expect(items[1].callId).toBe(items[2].callId);
    // The list is in it, too; and it goes on where a page ended.
    const newest = (await admin.call('GET /v1/audit?limit=3')).body;
    const older = (await admin.call(`GET /v1/audit?limit=3&cursor=${newest.nextCursor}`)).body;
    expect([...newest.items, ...older.items]).toEqual([of({ action: 'audit.list', outcome: 'ok' }), ...items]);
    const all = JSON.stringify(await sqlOf(stack, 'select * from audit'));
    expect(all).not.toContain('Audited name');
    expect(all).not.toContain(admin.token);
  });

  it('[ADMIN-8] is only ever added to: the database itself refuses to change or remove a line', async () => {
    await admin.call('GET /v1/users');
    for (const change of ["update audit set actor = 'nobody'", 'delete from audit', 'truncate audit']) {
      await expect(sqlOf(stack, change), change).rejects.toThrow(/only ever added/);
    }
  });

  it('[ADMIN-9] a change that cannot be written down is not made', async () => {
    const id = randomUUID();
    await sqlOf(stack, 'alter table audit rename to audit_away');
    try {
      const { status, body } = await admin.call('POST /v1/users', { id, name: 'Unwritten' });
      expect(status).toBe(500);
      expect(body.error).toEqual({
        code: 'UNKNOWN_RETRY',
        message: 'something went wrong here',
        retryable: true,
        errorId: expect.any(String),
      });
    } finally {
      await sqlOf(stack, 'alter table audit_away rename to audit');
    }
    expect((await admin.call(`GET /v1/users/${id}`)).status).toBe(404);
  });
});
