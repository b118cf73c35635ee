import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { close, connect, createConnection, createGraves, createKeys, LogStore } from '@parley/cache';
import { deleteChannel } from '@parley/domain';
import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import { createLog } from '@parley/runtime';
import { openStore } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Admin, type OtherNode, onLogStore, sqlOf, startAdmin, startNode, until } from './admin-rig.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

let stack: Stack;
let other: OtherNode;
let admin: Admin;
let ada: Chatter;
let bob: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [other, admin] = await Promise.all([startNode(stack), startAdmin(stack)]);
  ada = await stack.user('ada');
  bob = await other.user('bob', await stack.token('bob'));
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const group = (clientId = randomUUID()) =>
  ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.userId], clientId });

/** A channel's feed and an inbox, as far as they came. */
function listen(chatter: Chatter, channelId: string) {
  const events: ChannelEvent[] = [];
  const inbox: InboxEvent[] = [];
  const errors: unknown[] = [];
  chatter.trpc.feed.channel.subscribe(
    { channelId },
    { onData: ({ data }) => events.push(data), onError: (error) => errors.push(error) },
  );
  const own = chatter.trpc.feed.inbox.subscribe(undefined, { onData: ({ data }) => inbox.push(data) });
  const ready = until(
    () => [events.length, inbox.length],
    ([a = 0, b = 0]) => a > 0 && b > 0,
    'the feeds are open',
  );
  const ended = () =>
    until(
      () => errors,
      (all) => all.length > 0,
      'the feed ends',
    );
  const removed = () => inbox.filter((event) => event.type === 'channel.removed');
  return { events, inbox, errors, ready, ended, removed, stop: () => own.unsubscribe() };
}

/** How many rows of every table are of the channel. */
async function rowsOf(channelId: string): Promise<Record<string, number>> {
  const tables = await sqlOf<{ name: string }>(
    stack,
    "select table_name as name from information_schema.columns where column_name = 'channel_id' and table_schema = 'public'",
  );
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await sqlOf<{ count: string }>(stack, `select count(*) from "${name}" where channel_id = $1`, [
        channelId,
      ]);
      return [name, Number(row?.count)] as const;
    }),
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const removed = (channelId: string) =>
  until(
    () => sqlOf(stack, 'select removed_at from deleted_channels where id = $1 and removed_at is not null', [channelId]),
    (rows) => rows.length === 1,
    'the rows are removed',
  );

describe('a channel that is deleted', () => {
  it('[ADMIN-30] ends for everybody on every node: inboxes are told `deleted`, feeds end with NOT_FOUND, and so does every call', async () => {
    const { id } = await group();
    await ada.trpc.message.send.mutate(text(id, 'x'));
    const [here, there] = [listen(ada, id), listen(bob, id)];
    await Promise.all([here.ready, there.ready]);
    expect(await admin.call(`DELETE /v1/channels/${id}`)).toMatchObject({ status: 202, body: { id, deleted: true } });
    for (const feeds of [here, there]) {
      const [error] = await feeds.ended();
      expect(error).toMatchObject({ data: { parley: { code: 'NOT_FOUND' } } });
      await until(feeds.removed, (all) => all.length > 0, 'the inbox is told');
      expect(feeds.removed()).toEqual([
        { type: 'channel.removed', channelId: id, at: expect.any(Number), reason: 'deleted' },
      ]);
      feeds.stop();
    }
    for (const { trpc } of [ada, bob]) {
      expect(await failureOf(trpc.message.send.mutate(text(id, 'y')))).toMatchObject({ code: 'NOT_FOUND' });
      expect(await failureOf(trpc.message.page.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
      expect(await failureOf(trpc.channel.get.query({ channelId: id }))).toMatchObject({ code: 'NOT_FOUND' });
      expect((await trpc.channel.list.query()).items.map((channel) => channel.id)).not.toContain(id);
    }
    expect((await admin.call(`GET /v1/channels/${id}`)).status).toBe(404);
    expect((await admin.call(`DELETE /v1/channels/${randomUUID()}`)).status).toBe(404);
    // Once more is no mistake.
    expect((await admin.call(`DELETE /v1/channels/${id}`)).status).toBe(202);
  });

  it('[ADMIN-31] leaves no row, also of what was on its way to Postgres; another channel loses nothing', async () => {
    const [{ id }, neighbour] = [await group(), await group()];
    await bob.trpc.message.send.mutate({ ...text(neighbour.id, 'stays'), ack: 'persisted' });
    for (let i = 0; i < 20; i++) await ada.trpc.message.send.mutate(text(id, `message ${i}`));
    await ada.trpc.member.remove.mutate({ channelId: id, userId: bob.userId });
    // Control: there is something to remove.
    expect(await rowsOf(id)).toMatchObject({ messages: expect.any(Number), log_change: 1, channel_members: 1 });
    const before = await rowsOf(neighbour.id);
    const onTheirWay = Array.from({ length: 20 }, (_, i) => ada.trpc.message.send.mutate(text(id, `late ${i}`)));
    const [, ...sent] = await Promise.allSettled([admin.call(`DELETE /v1/channels/${id}`), ...onTheirWay]);
    expect(sent).toHaveLength(20);
    await removed(id);
    expect(await rowsOf(id)).toEqual({});
    expect(await rowsOf(neighbour.id)).toEqual(before);
    expect(await onLogStore(stack, (redis) => redis.keys(`*win:${id}`))).toEqual([]);
    // Nothing of it counts as lost.
    const env = { PATH: process.env.PATH ?? '', ...stack.env };
    const verify = ['--conditions=@parley/source', 'tools/verify.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, verify, { env });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, lost: 0, accepted: expect.any(Number) });
  });

  it('[ADMIN-32] never comes back: nobody makes a channel with its id again, and no position of it is given twice', async () => {
    const clientId = randomUUID();
    const { id } = await group(clientId);
    const direct = await ada.trpc.channel.create.mutate({ kind: 'direct', memberIds: [bob.userId] });
    await admin.call(`DELETE /v1/channels/${id}`);
    await admin.call(`DELETE /v1/channels/${direct.id}`);
    expect(await failureOf(group(clientId))).toMatchObject({ code: 'FORBIDDEN' });
    const again = bob.trpc.channel.create.mutate({ kind: 'direct', memberIds: [ada.userId] });
    expect(await failureOf(again)).toMatchObject({ code: 'FORBIDDEN' });
    await removed(id);
    expect(await failureOf(group(clientId))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[ADMIN-35] ends its feeds also on a node that was told nothing, as soon as that compares heads', async () => {
    const { id } = await group();
    await ada.trpc.message.send.mutate({ ...text(id, 'x'), ack: 'persisted' });
    const feeds = listen(ada, id);
    await feeds.ready;
    await using store = openStore({ DATABASE_URL: stack.db.url }, { name: 'test' });
    const redis = createConnection({
      url: stack.log.url,
      kind: 'log',
      timeoutMs: 5_000,
      log: createLog({ name: 'test', level: 'silent' }),
    });
    await connect(redis);
    const graves = createGraves({ store: new LogStore({ redis }), keys: createKeys('parley') });
    const nobodyHears = { tell: async () => undefined };
    expect(await deleteChannel({ store: store.admin, graves, hints: nobodyHears })(id)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(feeds.errors).toEqual([]);
    // A broker that was away makes its node compare heads at once; else it does so twice a minute.
    await redis.client('KILL', 'TYPE', 'PUBSUB');
    await feeds.ended();
    feeds.stop();
    await close(redis);
  });

  it('[ADMIN-33] a deletion that was broken off is finished by whoever starts', async () => {
    const { id } = await group();
    await ada.trpc.message.send.mutate({ ...text(id, 'x'), ack: 'persisted' });
    const feeds = listen(ada, id);
    await feeds.ready;
    await admin[Symbol.asyncDispose]();
    // As far as an api came that died in the middle: Postgres knows, nobody was told, the header is as it was.
    await sqlOf(stack, 'delete from channels where id = $1', [id]);
    await sqlOf(stack, 'insert into deleted_channels (id, deleted_at) values ($1, 1)', [id]);
    admin = await startAdmin(stack);
    await removed(id);
    await feeds.ended();
    expect(await rowsOf(id)).toEqual({});
    feeds.stop();
  });
});
