import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '@parley/domain';
import { createLog } from '@parley/runtime';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { createDevTokens } from '../src/auth/dev-token.ts';
import { createKnownUsers } from '../src/auth/known-users.ts';
import { LiveSession } from '../src/auth/live-session.ts';
import { createVerifier, type Principal } from '../src/auth/verify-token.ts';
import { userIdOf } from '../src/ids.ts';

const secret = 'a secret of more than thirty-two bytes';
const key = new TextEncoder().encode(secret);
const settings = { secret, jwksUrl: null, issuer: null, audience: null };
const code = (wanted: string) => expect.objectContaining({ name: 'Failure', code: wanted });

function token(
  claims: object = {},
  options: { exp?: string | number | null; sub?: string | null } = {},
): Promise<string> {
  const { exp = '10m', sub = 'somebody' } = options;
  const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' });
  if (exp !== null) jwt.setExpirationTime(exp);
  if (sub !== null) jwt.setSubject(sub);
  return jwt.sign(key);
}

const nowS = () => Math.floor(Date.now() / 1_000);

describe('[AUTH-1] a token is taken only when its signature, times and claims hold', () => {
  const verify = createVerifier(settings);

  it('names the caller', async () => {
    const id = '0190a8f0-0000-7000-8000-000000000001';
    expect(await verify(await token({ name: 'Ada', email: 'a@b.c' }, { sub: id }))).toMatchObject({
      userId: id,
      name: 'Ada',
      email: 'a@b.c',
      avatarUrl: null,
    });
    expect((await verify(await token({}, { sub: 'somebody' }))).userId).toBe(userIdOf('somebody'));
  });

  it('refuses no token, garbage, another key, a changed payload, no algorithm', async () => {
    const good = await token();
    const [head, , tail] = good.split('.');
    const forged = `${head}.${Buffer.from(JSON.stringify({ sub: 'root', exp: nowS() + 60 })).toString('base64url')}.${tail}`;
    const other = await new SignJWT({ sub: 'x', exp: nowS() + 60 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('another secret of thirty-two bytes!!'));
    const none = new UnsecuredJWT({ sub: 'x' }).setExpirationTime('1h').encode();
    for (const bad of ['', 'x', 'a.b.c', forged, other, none, `${good}x`, 'x'.repeat(9_000)]) {
      await expect(verify(bad), bad.slice(0, 40)).rejects.toEqual(code('UNAUTHENTICATED'));
    }
  });

  it('[AUTH-2] says when it has expired, with 5 s for clocks that differ', async () => {
    await expect(verify(await token({}, { exp: nowS() - 10 }))).rejects.toEqual(code('TOKEN_EXPIRED'));
    expect(await verify(await token({}, { exp: nowS() - 2 }))).toMatchObject({ name: 'somebody' });
  });

  it('needs an end and a subject that can be stored', async () => {
    await expect(verify(await token({}, { exp: null }))).rejects.toEqual(code('UNAUTHENTICATED'));
    await expect(verify(await token({}, { sub: null }))).rejects.toEqual(code('UNAUTHENTICATED'));
    for (const sub of ['', 'x'.repeat(256), 'a\u0000b', '\ud800']) {
      await expect(verify(await token({}, { sub })), JSON.stringify(sub)).rejects.toEqual(code('UNAUTHENTICATED'));
    }
    expect((await verify(await token({}, { sub: 'x'.repeat(255) }))).name).toHaveLength(100);
  });

  it('takes claims that cannot be stored or shown as absent', async () => {
    const claims = { name: 'a\u0000b', picture: 'javascript:alert(1)', email: 7, locale: '\ud800' };
    expect(await verify(await token(claims))).toMatchObject({
      name: 'somebody',
      avatarUrl: null,
      email: null,
      locale: null,
    });
    expect((await verify(await token({ name: `${'x'.repeat(99)}😀` }))).name.isWellFormed()).toBe(true);
  });

  it('checks issuer and audience where they are set', async () => {
    const strict = createVerifier({ ...settings, issuer: 'us', audience: 'chat' });
    await expect(strict(await token())).rejects.toEqual(code('UNAUTHENTICATED'));
    await expect(strict(await token({ iss: 'us', aud: 'mail' }))).rejects.toEqual(code('UNAUTHENTICATED'));
    expect(await strict(await token({ iss: 'us', aud: ['mail', 'chat'] }))).toMatchObject({ name: 'somebody' });
  });
});

describe('keys of an issuer', () => {
  it.each(['EdDSA', 'ES256', 'RS256'])('[AUTH-3] takes %s by its JWKS, and never HS256', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg };
    const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const verify = createVerifier({ ...settings, secret: null, jwksUrl: `http://127.0.0.1:${port}/jwks` });
    const good = new SignJWT({ name: 'Ada' })
      .setProtectedHeader({ alg, kid: 'one' })
      .setSubject('s')
      .setExpirationTime('1m');
    expect(await verify(await good.sign(privateKey))).toMatchObject({ name: 'Ada' });
    await expect(verify(await token())).rejects.toEqual(code('UNAUTHENTICATED'));
    server.close();
    server.closeAllConnections();
  });

  it('[AUTH-4] an issuer that does not answer is not the caller’s fault', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const jwt = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('s')
      .setExpirationTime('1m')
      .sign(privateKey);
    const nowhere = createVerifier({ ...settings, secret: null, jwksUrl: 'http://127.0.0.1:1/jwks' });
    await expect(nowhere(jwt)).rejects.toEqual(code('UNAVAILABLE'));
    const server = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const broken = createVerifier({ ...settings, secret: null, jwksUrl: `http://127.0.0.1:${port}/` });
    await expect(broken(jwt)).rejects.toEqual(code('UNAVAILABLE'));
    server.close();
    server.closeAllConnections();
  });
});

it('[AUTH-5] a development token is one of its name: the same name, the same user', async () => {
  const make = createDevTokens({ secret, issuer: 'us', audience: 'chat' });
  const one = await make({ name: 'ada' });
  const two = await make({ name: 'ada' });
  expect(one?.userId).toBe(two?.userId);
  expect((await make({ name: 'bob' }))?.userId).not.toBe(one?.userId);
  const verify = createVerifier({ ...settings, issuer: 'us', audience: 'chat' });
  expect(await verify(one?.token ?? '')).toMatchObject({ userId: one?.userId, name: 'ada' });
  for (const bad of [null, {}, { name: '' }, { name: 7 }, { name: 'a\u0000' }, 'ada'])
    expect(await make(bad)).toBeNull();
});

const principal = (over: Partial<Principal> = {}): Principal => ({
  userId: 'u',
  name: 'n',
  avatarUrl: null,
  email: null,
  locale: null,
  sid: null,
  issuedAt: 0,
  expiresAt: Date.now() + 60_000,
  ...over,
});

describe('users at the door', () => {
  const log = createLog({ name: 'test', level: 'silent' });

  it('[AUTH-6] are written on first sight, and again only when their claims changed', async () => {
    const upsertUser = vi.fn(async () => expect.anything());
    const meet = createKnownUsers({ archive: { upsertUser }, log });
    await meet(principal());
    await meet(principal({ expiresAt: 1 }));
    expect(upsertUser).toHaveBeenCalledTimes(1);
    await meet(principal({ name: 'other' }));
    expect(upsertUser).toHaveBeenCalledTimes(2);
  });

  it('[DEG-22] come in while Postgres is away, and are written the next time', async () => {
    const upsertUser = vi.fn(() => Promise.reject(new Failure('UNAVAILABLE', 'away')));
    const meet = createKnownUsers({ archive: { upsertUser }, log });
    await meet(principal());
    await meet(principal());
    expect(upsertUser).toHaveBeenCalledTimes(2);
    const broken = createKnownUsers({ archive: { upsertUser: () => Promise.reject(new Error('bug')) }, log });
    await expect(broken(principal())).rejects.toThrow('bug');
  });

  it('are forgotten beyond a number, the first one first', async () => {
    const upsertUser = vi.fn(async () => expect.anything());
    const meet = createKnownUsers({ archive: { upsertUser }, log, remember: 2 });
    for (const userId of ['a', 'b', 'c', 'c', 'b', 'a']) await meet(principal({ userId }));
    expect(upsertUser).toHaveBeenCalledTimes(4);
  });
});

describe('a live session', () => {
  const live = (expiresInMs: number, graceMs = 30) => {
    const onExpired = vi.fn();
    const verify = async (text: string) => {
      const [userId = '', ms = '0'] = text.split(' ');
      return principal({ userId, expiresAt: Date.now() + Number(ms) });
    };
    const session = new LiveSession(principal({ expiresAt: Date.now() + expiresInMs }), { verify, graceMs, onExpired });
    session.run();
    return { session, onExpired };
  };

  it('[AUTH-7] ends a grace time after its token', async () => {
    const { onExpired, session } = live(20);
    await vi.waitFor(() => expect(onExpired).toHaveBeenCalledTimes(1));
    session[Symbol.dispose]();
    const endless = live(2 ** 40);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(endless.onExpired).not.toHaveBeenCalled();
    endless.session[Symbol.dispose]();
  });

  it('[AUTH-8] is prolonged by a newer token of the same user, and by nothing else', async () => {
    const { session, onExpired } = live(40);
    await expect(session.refresh('somebody-else 60000')).rejects.toEqual(code('UNAUTHENTICATED'));
    const { expiresAt } = await session.refresh('u 60000');
    expect(await session.refresh('u 5')).toEqual({ expiresAt });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(onExpired).not.toHaveBeenCalled();
    session[Symbol.dispose]();
  });

  it('says nothing more once it is over', async () => {
    const { session, onExpired } = live(10, 0);
    session[Symbol.dispose]();
    await session.refresh('u 1');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(onExpired).not.toHaveBeenCalled();
  });
});
