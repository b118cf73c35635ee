import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Admin, type OtherNode, onLogStore, sqlOf, startAdmin, startNode, until } from './admin-rig.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// Two nodes on real stores, stock clients on both, and the admin API over real HTTP.

const REVOKED = 4503;
let stack: Stack;
let other: OtherNode;
let admin: Admin;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  other = await startNode(stack);
  admin = await startAdmin(stack);
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const nowS = () => Math.floor(Date.now() / 1_000);
const tokenOf = (userId: string, claims: object = {}) => stack.token(userId, { iat: nowS(), ...claims });
/** Waits until a token that is made now is newer than everything that was revoked before. */
const nextSecond = () => sleep(1_000 - (Date.now() % 1_000) + 20);

async function come(userId: string, token: string): Promise<[here: Chatter, there: Chatter]> {
  const here = await stack.user(userId, { token });
  await here.trpc.user.me.query();
  return [here, await other.user(userId, token)];
}

const closed = (chatter: Chatter, what: string) =>
  until(
    () => chatter.closed,
    (codes) => codes.includes(REVOKED),
    what,
  );
const stillLives = async (chatter: Chatter) => {
  await chatter.trpc.user.me.query();
  expect(chatter.closed).toEqual([]);
};

/** A new socket and an HTTP call with the token are both refused for good, on both nodes. */
async function isRefused(userId: string, token: string): Promise<void> {
  const fresh = await stack.user(userId, { token });
  expect(await failureOf(fresh.trpc.user.me.query())).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  await closed(fresh, 'a refused socket is closed with 4503');
  expect(await failureOf(stack.http(token).user.me.query())).toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(other.user(userId, token)).rejects.toMatchObject({ data: { parley: { code: 'UNAUTHENTICATED' } } });
}

describe('a user', () => {
  it('[ADMIN-10] who is disabled is closed with 4503 on every node, cannot come back or call, and can when he is enabled', async () => {
    const userId = randomUUID();
    const token = await tokenOf(userId);
    const [here, there] = await come(userId, token);
    const bystander = await stack.user('bystander');
    const answer = await admin.call(`POST /v1/users/${userId}/disable`);
    expect(answer).toMatchObject({ status: 200, body: { id: userId, disabledAt: expect.any(Number), told: true } });
    await Promise.all([closed(here, 'this node closes'), closed(there, 'the other node closes')]);
    await isRefused(userId, token);
    // A newer token is no better.
    await nextSecond();
    await isRefused(userId, await tokenOf(userId));
    await stillLives(bystander);
    expect(await admin.call(`POST /v1/users/${userId}/enable`)).toMatchObject({
      status: 200,
      body: { disabledAt: null },
    });
    const [again, elsewhere] = await come(userId, token);
    await stillLives(again);
    await stillLives(elsewhere);
  });

  it('[ADMIN-11] whose sessions are revoked is closed with 4503 on every node; tokens issued up to then are void, later ones are not', async () => {
    const userId = randomUUID();
    const token = await tokenOf(userId);
    const unborn = await stack.token(userId, {});
    const [here, there] = await come(userId, token);
    expect(await admin.call(`POST /v1/users/${userId}/revoke`)).toMatchObject({ status: 200, body: { told: true } });
    await Promise.all([closed(here, 'this node closes'), closed(there, 'the other node closes')]);
    await isRefused(userId, token);
    // A token that does not say when it was issued may be older than anything.
    await isRefused(userId, unborn);
    await nextSecond();
    const [again, elsewhere] = await come(userId, await tokenOf(userId));
    await stillLives(again);
    await stillLives(elsewhere);
  });

  it('[ADMIN-12] one session is ended by its sid, on every node and for good; the others of the user go on', async () => {
    const userId = randomUUID();
    const [phone, laptop] = [await tokenOf(userId, { sid: 'phone' }), await tokenOf(userId, { sid: 'laptop' })];
    const [phoneHere, phoneThere] = await come(userId, phone);
    const [laptopHere, laptopThere] = await come(userId, laptop);
    expect(await admin.call(`POST /v1/users/${userId}/revoke`, { sid: 'phone' })).toMatchObject({ status: 200 });
    await Promise.all([closed(phoneHere, 'the phone here'), closed(phoneThere, 'the phone there')]);
    await stillLives(laptopHere);
    await stillLives(laptopThere);
    await nextSecond();
    await isRefused(userId, await tokenOf(userId, { sid: 'phone' }));
  });

  it('[ADMIN-13] a live connection takes no token of an ended session, and outlives a revocation by a newer token', async () => {
    const userId = randomUUID();
    const old = await tokenOf(userId, { sid: 'old' });
    const [here] = await come(userId, await tokenOf(userId));
    await admin.call(`POST /v1/users/${userId}/revoke`, { sid: 'old' });
    const refused = await failureOf(here.trpc.session.refresh.mutate({ token: old }));
    expect(refused).toMatchObject({ code: 'UNAUTHENTICATED' });
    await stillLives(here);
    // Its token is from now on one of the future, which no revocation of the present reaches.
    await here.trpc.session.refresh.mutate({ token: await tokenOf(userId, { iat: nowS() + 4 }) });
    await admin.call(`POST /v1/users/${userId}/revoke`);
    await sleep(300);
    await stillLives(here);
  });

  it('[ADMIN-14] what a hint did not tell is found: a session whose user was barred without a word ends', async () => {
    const userId = randomUUID();
    const token = await tokenOf(userId);
    const [here] = await come(userId, token);
    await sqlOf(stack, 'insert into user_standing (user_id, disabled_at) values ($1, 1)', [userId]);
    await sleep(300);
    await stillLives(here);
    // The node's subscriptions are lost, and with them perhaps a hint.
    await onLogStore(stack, (redis) => redis.client('KILL', 'TYPE', 'PUBSUB'));
    await closed(here, 'the session ends');
    await isRefused(userId, token);
  });

  it('[ADMIN-15] who is unknown cannot be barred, and nobody is told', async () => {
    for (const what of ['disable', 'enable', 'revoke']) {
      expect(await admin.call(`POST /v1/users/${randomUUID()}/${what}`)).toMatchObject({
        status: 404,
        body: { error: { code: 'NOT_FOUND' } },
      });
    }
  });
});

describe('everybody', () => {
  it('[ADMIN-20] an announcement reaches every open inbox of every node, and is kept', async () => {
    const users = [
      await stack.user('one'),
      await stack.user('two'),
      await other.user('three', await stack.token('three')),
    ];
    const heard = users.map(() => [] as unknown[]);
    const ready = users.map((user, i) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      user.trpc.feed.inbox.subscribe(undefined, {
        onData: ({ data }) => {
          if (data.type === 'snapshot') resolve();
          if (data.type === 'announcement') heard[i]?.push(data);
        },
      });
      return promise;
    });
    await Promise.all(ready);
    const { status, body } = await admin.call('POST /v1/announcements', { text: 'Обед в 12:00' });
    expect({ status, body }).toEqual({
      status: 201,
      body: { id: expect.any(String), text: 'Обед в 12:00', at: expect.any(Number) },
    });
    const event = { type: 'announcement', at: body.at, announcementId: body.id, text: 'Обед в 12:00' };
    await until(
      () => heard,
      (all) => all.every((events) => events.length === 1),
      'all three inboxes hear it',
    );
    expect(heard).toEqual([[event], [event], [event]]);
    expect((await admin.call('GET /v1/announcements')).body.items[0]).toEqual(body);
  });

  it('[ADMIN-21] without the log store a revocation is done, and says that nobody could be told', async () => {
    await using lone = await startStack({ RATE_LIMIT_ENABLED: 'false' });
    await using its = await startAdmin(lone);
    const user = await lone.user('somebody', { token: await lone.token('somebody', { iat: nowS() }) });
    const { id } = await user.trpc.user.me.query();
    const channel = await user.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    await user.trpc.message.send.mutate(text(channel.id, 'x'));
    await lone.log.kill();
    const answer = await until(
      () => its.call(`POST /v1/users/${id}/revoke`),
      ({ body }) => body.told === false,
      'the admin API notices that the log store is gone',
    );
    expect(answer).toMatchObject({ status: 200, body: { revokedAt: expect.any(Number) } });
    await lone.log.restart();
    await until(
      () => user.closed,
      (codes) => codes.includes(REVOKED),
      'the session ends when the log store is back',
    );
  });
});
