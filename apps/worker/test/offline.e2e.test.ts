import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../../../packages/testing/src/cluster.ts';
import { StockUser, signIn } from '../../../packages/testing/test/stock-user.ts';
import { MailServer, outletEnv, PushService, WebhookReceiver } from './outlets.ts';

// Whole processes and real servers of others: what somebody who is away is told, and what he finds when he comes back.

vi.setConfig({ testTimeout: 180_000 });

const CHANNELS = 20;
const MESSAGES = 1_000;

let push: PushService;
let webhook: WebhookReceiver;
let mail: MailServer;
let cluster: Cluster;
let database: pg.Pool;

beforeAll(async () => {
  [push, webhook, mail] = await Promise.all([
    new PushService().start(),
    new WebhookReceiver().start(),
    new MailServer().start(),
  ]);
  cluster = await startCluster({
    apis: 1,
    workers: 0,
    migrate,
    env: {
      ...outletEnv({ push, webhook, mail }),
      OFFLINE_AFTER_MS: '300',
      DIGEST_AFTER_MS: '3000',
      SEND_RATE_PER_MINUTE: '1000000',
      SEND_BURST: '1000000',
      CHANNEL_CREATES_PER_HOUR: '1000',
    },
  });
  database = new pg.Pool({ connectionString: cluster.databaseUrl, max: 2 });
}, 120_000);

afterAll(async () => {
  await database?.end();
  await cluster?.[Symbol.asyncDispose]();
  for (const server of [push, webhook, mail]) await server?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  push.answer = () => 201;
  webhook.answer = () => 200;
});

const url = () => cluster.apis[0]?.url ?? '';
const user = async (name: string) => new StockUser(name, await signIn(url(), name), url);

async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 90_000): Promise<void> {
  for (const end = Date.now() + withinMs; !(await condition()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
  }
}

/** Somebody with a browser and an address, who is then away, and his channels with two others each. */
async function away() {
  const name = `reader-${randomUUID().slice(0, 8)}`;
  await using reader = await user(name);
  const senders = await Promise.all([1, 2, 3, 4].map((i) => user(`${name}-sender-${i}`)));
  const channels = await Promise.all(
    Array.from({ length: CHANNELS }, async (_, i) => {
      const owner = senders[i % 4] as StockUser;
      const memberIds = [reader.userId, (senders[(i + 1) % 4] as StockUser).userId];
      const { id } = await owner.client.channel.create.mutate({ kind: 'group', name: `channel ${i}`, memberIds });
      return id;
    }),
  );
  expect(await reader.client.push.key.query()).toEqual({ publicKey: push.vapid.publicKey });
  await reader.client.push.subscribe.mutate(push.browser(name));
  await database.query('update users set email = $2 where id = $1', [reader.userId, `${name}@example.org`]);
  return { name, userId: reader.userId, senders, channels };
}

type Away = Awaited<ReturnType<typeof away>>;

async function talk({ senders, channels }: Away, messages = MESSAGES): Promise<void> {
  let left = messages;
  await Promise.all(
    channels.map(async (channelId, i) => {
      for (let n = 0; left-- > 0; n++) await senders[(i + (n % 2)) % 4]?.send(channelId, `message ${n} of ${i}`);
    }),
  );
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
const pushedTo = ({ name }: Away) => push.pushed.filter(({ browser }) => browser === name);
const toldTo = ({ userId }: Away) => webhook.deliveries.filter((delivery) => delivery.userId === userId);
const mailedTo = ({ name }: Away) => mail.mails.filter(({ to }) => to.includes(`${name}@example.org`));
const mailed = (reader: Away) => mailedTo(reader).map(({ subject }) => Number.parseInt(subject, 10));
/** By id: what comes again under the same id is the same. */
const pushes = (reader: Away) => [...new Map(pushedTo(reader).map((one) => [one.topic, one.data])).values()];

/** Every range begins where another one of the channel ends, or at the beginning. */
function overlaps(ranges: readonly { channelId: string; after: string; upTo: string }[]): number {
  const n = (position: string) => Number(position.split('-')[1]);
  return [...Map.groupBy(ranges, ({ channelId }) => channelId).values()]
    .map((some) => some.toSorted((a, b) => n(a.upTo) - n(b.upTo)))
    .map((some) => some.filter(({ after }, i) => i > 0 && n(after) < n(some[i - 1]?.upTo ?? '')).length)
    .reduce((total, count) => total + count, 0);
}

/** Everything of every channel, in order, on feeds that begin where he was. */
async function comesBack({ name, channels }: Away): Promise<number> {
  await using reader = await user(name);
  let seen = 0;
  const broken: string[] = [];
  for (const channelId of channels) {
    let last = 0;
    reader.client.feed.channel.subscribe(
      { channelId, lastEventId: '0-0' },
      {
        onData: ({ data: event }) => {
          if (event.type !== 'message.created') return;
          const n = Number(event.message.position.split('-')[1]);
          if (n !== last + 1) broken.push(`${channelId}: ${n} after ${last}`);
          last = n;
          seen++;
        },
        onError: (error) => broken.push(String(error)),
      },
    );
  }
  await until('everything has come', () => seen >= MESSAGES || broken.length > 0);
  await sleep(200);
  expect(broken).toEqual([]);
  return seen;
}

describe('[OFF-12] 1,000 messages over 20 channels to somebody who is away', () => {
  test('each outlet tells him of each of them once, and his feeds give him all of them in order', async () => {
    const worker = await cluster.startWorker();
    const reader = await away();
    webhook.answer = ({ attempt }) => (attempt % 7 === 3 ? 500 : 200);
    await talk(reader);
    await until('all is pushed', () => sum(pushes(reader).map(({ count }) => count)) >= MESSAGES);
    await until('webhooks have told all', () => sum(toldTo(reader).map(({ count }) => count)) >= MESSAGES);
    await until('all is mailed', () => sum(mailed(reader)) >= MESSAGES);
    await sleep(2_000);
    expect(sum(pushes(reader).map(({ count }) => count))).toBe(MESSAGES);
    expect(pushedTo(reader)).toHaveLength(pushes(reader).length);
    expect(sum(toldTo(reader).map(({ count }) => count))).toBe(MESSAGES);
    expect(overlaps(toldTo(reader).map(({ channel, ...rest }) => ({ channelId: channel.id, ...rest })))).toBe(0);
    expect(sum(mailed(reader))).toBe(MESSAGES);
    expect(new Set(mailedTo(reader).map(({ id }) => id)).size).toBe(mailedTo(reader).length);
    expect([push.bad, webhook.bad]).toEqual([[], []]);
    expect(await comesBack(reader)).toBe(MESSAGES);
    await worker.stop();
  });

  test('the control: without what is written down he is told twice', async () => {
    const worker = await cluster.startWorker();
    const reader = await away();
    await talk(reader, 40);
    await until('all is pushed', () => sum(pushes(reader).map(({ count }) => count)) >= 40);
    await sleep(500);
    await database.query('delete from offline_notices');
    // One more word wakes it.
    await talk(reader, CHANNELS);
    await until('the rest is pushed', () => sum(pushedTo(reader).map(({ data }) => data.count)) >= 60);
    await sleep(500);
    expect(sum(pushedTo(reader).map(({ data }) => data.count))).toBeGreaterThan(60);
    await worker.stop();
  });
});

test('[OFF-13] a worker that is killed while it tells somebody: the next one goes on, and what was being told comes again under the same id', async () => {
  const killed = await cluster.startWorker();
  const reader = await away();
  const met = Promise.withResolvers<void>();
  const held = Promise.withResolvers<number>();
  let asked = 0;
  push.answer = ({ path }) => {
    if (path !== reader.name || ++asked !== 5) return 201;
    met.resolve();
    return held.promise;
  };
  await talk(reader);
  await met.promise;
  await killed.kill();
  held.resolve(201);
  const successor = await cluster.startWorker();
  await until('all is pushed', () => sum(pushes(reader).map(({ count }) => count)) >= MESSAGES);
  await until('webhooks have told all', () => sum(toldTo(reader).map(({ count }) => count)) >= MESSAGES);
  await sleep(2_000);
  expect(sum(pushes(reader).map(({ count }) => count))).toBe(MESSAGES);
  expect(sum(toldTo(reader).map(({ count }) => count))).toBe(MESSAGES);
  const doubled = pushedTo(reader).length - pushes(reader).length;
  expect(doubled).toBeLessThanOrEqual(1);
  expect(await comesBack(reader)).toBe(MESSAGES);
  await successor.stop();
});

describe('outlets that do not work', () => {
  test('[OFF-7] a browser that its push service does not know any more is forgotten, and nobody else is', async () => {
    const worker = await cluster.startWorker();
    const gone = await away();
    const other = await away();
    push.answer = ({ path }) => (path === gone.name ? 410 : 201);
    await talk(gone, CHANNELS);
    await talk(other, CHANNELS);
    const subscriptions = async (userId: string) =>
      (await database.query('select from push_subscriptions where user_id = $1', [userId])).rowCount;
    await until('it is forgotten', async () => (await subscriptions(gone.userId)) === 0);
    await until('the other is told', () => sum(pushes(other).map(({ count }) => count)) === CHANNELS);
    expect(await subscriptions(other.userId)).toBe(1);
    expect(pushedTo(gone)).toHaveLength(1);
    await worker.stop();
  });

  test('[OFF-9] a webhook that fails is called again with the same id and body, and redirects lead nowhere', async () => {
    const worker = await cluster.startWorker();
    const reader = await away();
    const calls = () => webhook.calls.filter(({ body }) => body.includes(reader.userId));
    let failures = 0;
    webhook.answer = ({ path }) => {
      expect(path).toBe('/hook');
      return failures++ < 3 ? 302 : 200;
    };
    await reader.senders[0]?.send(reader.channels[0] ?? '', 'one message');
    await until('it is taken', () => toldTo(reader).length === 1);
    expect(new Set(calls().map(({ id }) => id)).size).toBe(1);
    expect(new Set(calls().map(({ body }) => body)).size).toBe(1);
    expect(toldTo(reader)[0]).toMatchObject({ count: 1, after: '0-0', messages: [{ body: 'one message' }] });
    await worker.stop();
  });

  test('[OFF-18] while one outlet is away the others tell; it is told when it is back', async () => {
    const worker = await cluster.startWorker();
    const reader = await away();
    push.answer = () => 503;
    mail.refuses = 1;
    await talk(reader, CHANNELS);
    await until('webhooks have told all', () => sum(toldTo(reader).map(({ count }) => count)) === CHANNELS);
    await until('a mail is taken at last', () => sum(mailed(reader)) === CHANNELS);
    push.answer = () => 201;
    await until('all is pushed', () => new Set(pushes(reader).map(({ channelId }) => channelId)).size === CHANNELS);
    expect(sum(toldTo(reader).map(({ count }) => count))).toBe(CHANNELS);
    await worker.stop();
  });

  test('[OFF-8] who wants no push, or has his quiet hours, is not pushed to', async () => {
    const worker = await cluster.startWorker();
    const [silent, asleep] = [await away(), await away()];
    const notify = (userId: string, wishes: object) =>
      database.query('update users set notify = $2 where id = $1', [userId, JSON.stringify(wishes)]);
    await notify(silent.userId, { push: false, email: false });
    await notify(asleep.userId, { quietHours: { from: '00:00', to: '23:59', timeZone: 'UTC' } });
    for (const reader of [silent, asleep]) {
      await talk(reader, CHANNELS);
      await until('webhooks have told all', () => sum(toldTo(reader).map(({ count }) => count)) === CHANNELS);
    }
    await sleep(4_000);
    expect([pushedTo(silent), pushedTo(asleep), mailedTo(silent), mailedTo(asleep)]).toEqual([[], [], [], []]);
    await notify(asleep.userId, { quietHours: null });
    await talk(asleep, CHANNELS);
    await until('he is told of all of it', () => sum(pushes(asleep).map(({ count }) => count)) === 2 * CHANNELS);
    await worker.stop();
  });
});
