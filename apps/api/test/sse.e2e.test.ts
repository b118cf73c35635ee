import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@parley/runtime';
import { createHttpDoor, createPublicServer } from '@parley/transport';
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { appRouter } from '../src/router.ts';
import { TestEventSource } from './event-source.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';
import { type StreamClient, streamClient } from './stream-client.ts';

// Feeds for those whose proxy forbids sockets, by the stock client.

/** A lost stream, the browser's pause, the answer to a used ticket, the client's pause, and a slow machine. */
const BACK_MS = 15_000;

let stack: Stack;
let ada: Chatter;
let channelId: string;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', TOKEN_GRACE_MS: '300', CONNECTIONS_PER_USER: '3' });
  ada = await stack.user('ada');
  await stack.user('bob');
  const bob = await stack.http(await stack.token('bob')).user.me.query();
  channelId = (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [bob.id] })).id;
});

afterAll(() => stack?.[Symbol.asyncDispose]());

const client = (name: string, token = () => stack.token(name)): StreamClient =>
  streamClient({ base: () => stack.url, token });
const say = (body: string) => ada.trpc.message.send.mutate(text(channelId, body));
const newTicket = async (name: string) => (await stack.http(await stack.token(name)).session.ticket.mutate()).ticket;

/** What a stream says within a moment, asked by hand. */
async function listen(query: string, path = 'feed.inbox'): Promise<string> {
  const leaving = AbortSignal.timeout(1_500);
  let seen = '';
  try {
    const response = await fetch(`${stack.url}/trpc/${path}?${query}`, { signal: leaving });
    if (!response.body) return '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      seen += chunk;
      if (/"type":"snapshot"|serialized-error|reconnectAfterInactivityMs":3\d{3}\}/.test(seen)) break;
    }
  } catch (error) {
    if (!leaving.aborted) throw error;
  }
  return seen;
}

describe('feeds over server-sent events', () => {
  it('[DOOR-50] both feeds work with the stock client; a stream that is cut goes on with a fresh ticket, without gap or repeat', async () => {
    const bob = client('bob');
    const [feed, inbox] = [bob.channel(channelId), bob.inbox()];
    await vi.waitFor(() => expect([feed.types()[0], inbox.types()[0]]).toEqual(['opened', 'snapshot']), BACK_MS);
    await say('1');
    await vi.waitFor(() => expect(feed.bodies()).toEqual(['1']));
    await vi.waitFor(() => expect(inbox.types()).toContain('channel.activity'));
    const [source] = bob.sources;
    source?.cut();
    await say('2');
    await say('3');
    await vi.waitFor(() => expect(feed.bodies()).toEqual(['1', '2', '3']), BACK_MS);
    // The browser asked for the same URL again, was asked to come anew, and came with another ticket and the last id.
    expect(source?.statuses).toEqual([200, 200]);
    expect(bob.urls).toHaveLength(3);
    expect(new Set(bob.urls).size).toBe(3);
    expect(bob.sources.at(-1)?.url).toContain(encodeURIComponent('"lastEventId":"'));
    await say('4');
    await vi.waitFor(() => expect(feed.bodies()).toEqual(['1', '2', '3', '4']));
    expect(feed.events.filter((event) => event.type === 'opened').map((event) => event.resumed)).toEqual([false, true]);
    expect([feed.errors, inbox.errors]).toEqual([[], []]);
    feed.leave();
    inbox.leave();
  }, 40_000);

  it('[DOOR-50] control: a server that refuses the used ticket in plain words ends the subscription for good', async () => {
    for (const renews of [false, true]) {
      const used = new Set<string>();
      const t = initTRPC.create();
      const router = t.router({
        feed: t.procedure.subscription(async function* ({ signal }) {
          yield tracked('1', 'hello');
          await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
        }),
      });
      const log = createLog({ name: 'test', level: 'silent' });
      const door = createHttpDoor({
        router,
        path: '/trpc',
        log,
        metrics: createMetrics(),
        createContext: ({ info, stream }) => {
          const ticket = info.url?.searchParams.get('ticket') ?? '';
          if (!used.has(ticket)) return { used: used.add(ticket) };
          if (renews) stream?.renew();
          throw new TRPCError({ code: 'UNAUTHORIZED' });
        },
      });
      const server = createPublicServer((req, res) => void door.answer(req, res));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      let tickets = 0;
      const url = () => `http://127.0.0.1:${port}/trpc?ticket=${tickets++}`;
      const links = [
        httpSubscriptionLink<typeof router, typeof TestEventSource>({ EventSource: TestEventSource, url }),
      ];
      const heard: string[] = [];
      const subscription = createTRPCClient<typeof router>({ links }).feed.subscribe(undefined, {
        onData: ({ data }) => heard.push(data),
        onError: () => heard.push('error'),
      });
      await vi.waitFor(() => expect(heard).toEqual(['hello']));
      TestEventSource.made.at(-1)?.cut();
      await vi.waitFor(() => expect(heard).toEqual(['hello', renews ? 'hello' : 'error']), BACK_MS);
      subscription.unsubscribe();
      server.closeAllConnections();
      server.close();
    }
  }, 40_000);

  it('[DOOR-44] the api says so well before a client gives a stream up', async () => {
    const { sse } = appRouter._def._config;
    expect(sse?.ping).toEqual({ enabled: true, intervalMs: 15_000 });
    const deadAfterMs = sse?.client?.reconnectAfterInactivityMs ?? 0;
    expect(deadAfterMs).toBeGreaterThan(2 * 15_000);
    expect(await listen(`ticket=${await newTicket('bob')}`)).toContain(`{"reconnectAfterInactivityMs":${deadAfterMs}}`);
  });

  it('[LIMIT-115] a stream counts as a connection of its user, and no more when it is left', async () => {
    const carol = client('carol');
    const feeds = [carol.inbox(), carol.inbox(), carol.inbox()];
    await vi.waitFor(() => expect(feeds.map((feed) => feed.types()[0])).toEqual(Array(3).fill('snapshot')), BACK_MS);
    const fourth = carol.inbox();
    await vi.waitFor(() =>
      expect(fourth.errors[0]).toMatchObject({ data: { parley: { code: 'RATE_LIMITED', retryAfterMs: 5_000 } } }),
    );
    feeds[0]?.leave();
    await vi.waitFor(async () => {
      const again = carol.inbox();
      await vi.waitFor(() => expect(again.types()[0]).toBe('snapshot'), 1_000);
      again.leave();
    }, BACK_MS);
    for (const feed of feeds) feed.leave();
  }, 40_000);
});

describe('tickets', () => {
  it('[AUTH-60] a ticket opens one stream; used again, also by two at once, it opens none', async () => {
    const ticket = await newTicket('bob');
    const [one, two] = await Promise.all([listen(`ticket=${ticket}`), listen(`ticket=${ticket}`)]);
    expect([one, two].filter((seen) => seen.includes('"type":"snapshot"'))).toHaveLength(1);
    const again = await listen(`ticket=${ticket}`);
    expect(again).not.toContain('snapshot');
    expect(again).toMatch(/event: connected\ndata: \{"reconnectAfterInactivityMs":3\d{3}\}/);
    // It is what every blip leads to, and no sign of an attack.
    expect(await stack.metrics.text()).toContain('auth_failures_total{code="TOKEN_EXPIRED"} 0');
    // As connection parameters, as the link has them.
    const params = encodeURIComponent(JSON.stringify({ ticket: await newTicket('bob') }));
    expect(await listen(`connectionParams=${params}`)).toContain('"type":"snapshot"');
  });

  it('[AUTH-61] a ticket is kept for 30 s, and only its hash', async () => {
    const { ticket, expiresAt } = await stack.http(await stack.token('bob')).session.ticket.mutate();
    expect(ticket).toMatch(/^[\w-]{43}$/);
    expect(Math.abs(expiresAt - Date.now() - 30_000)).toBeLessThan(10_000);
    await using kept = keysOf(stack.cache.url);
    const hash = createHash('sha256').update(ticket).digest('hex');
    expect(await kept.redis.pttl(`parley:ticket:${hash}`)).toBeLessThanOrEqual(30_000);
    expect(await kept.redis.pttl(`parley:ticket:${hash}`)).toBeGreaterThan(0);
    const all = await kept.redis.keys('*');
    const values = await Promise.all(all.filter((key) => key.includes(':ticket:')).map((key) => kept.redis.get(key)));
    expect(JSON.stringify([all, values])).not.toContain(ticket);
    await kept.redis.del(`parley:ticket:${hash}`);
    expect(await listen(`ticket=${ticket}`)).not.toContain('snapshot');
  });

  it('[AUTH-62] a stream ends with the token of its ticket, and its client comes back with another, missing nothing', async () => {
    const tokens = [await stack.token('bob', {}, 2), await stack.token('bob', {}, 2)];
    const bob = client('bob', async () => tokens.shift() ?? (await stack.token('bob')));
    const feed = bob.channel(channelId);
    await vi.waitFor(() => expect(feed.types()).toContain('opened'), BACK_MS);
    const told: string[] = [];
    for (const end = Date.now() + 7_000; Date.now() < end; ) {
      const body = `while it ends ${told.length}`;
      await say(body);
      told.push(body);
      await sleep(200);
    }
    await vi.waitFor(() => expect(feed.bodies()).toEqual(told), BACK_MS);
    expect(bob.sources.length).toBeGreaterThanOrEqual(2);
    // It was asked to, and did not have to find out.
    for (const { statuses } of bob.sources) expect(statuses).toEqual([200]);
    expect(feed.errors).toEqual([]);
    feed.leave();
  }, 40_000);

  it('[AUTH-63] a token in a URL is refused wherever it stands, although it is valid; as something to look for it is not', async () => {
    const token = await stack.token('bob');
    const params = encodeURIComponent(JSON.stringify({ token }));
    for (const query of [
      `ticket=${token}`,
      `token=${token}`,
      `access_token=Bearer%20${token}`,
      `connectionParams=${params}`,
    ]) {
      const refused = await listen(query);
      expect(refused, query).toContain('"code":"UNAUTHENTICATED"');
      expect(refused, query).not.toContain('snapshot');
    }
    const headers = { authorization: `Bearer ${token}` };
    const plain = await fetch(`${stack.url}/trpc/user.me?token=${token}`, { headers });
    expect(plain.status).toBe(401);
    const input = encodeURIComponent(JSON.stringify({ query: token.slice(0, 90) }));
    const search = await fetch(`${stack.url}/trpc/message.search?input=${input}`, { headers });
    expect(search.status).not.toBe(401);
  });

  it('[AUTH-64] without a ticket, or with what is none, a stream says UNAUTHENTICATED; a token in the head is as good as a ticket', async () => {
    for (const query of ['', 'ticket=', 'ticket=x', `ticket=${'é'.repeat(43)}`, 'ticket=__proto__']) {
      expect(await listen(query), query).toContain('"code":"UNAUTHENTICATED"');
    }
    const headers = { authorization: `Bearer ${await stack.token('bob')}` };
    const source = new TestEventSource(`${stack.url}/trpc/feed.inbox`, { headers });
    const first = await new Promise<string>((resolve) => {
      source.addEventListener('message', (event) => resolve('data' in event ? event.data : ''));
    });
    expect(first).toContain('"type":"snapshot"');
    source.close();
    // A ticket is for streams: nothing else takes it.
    const call = await fetch(`${stack.url}/trpc/user.me?ticket=${await newTicket('bob')}`);
    expect(call.status).toBe(401);
  });

  it('[AUTH-65] a ticket can be had over a socket, too, and lets in the same user', async () => {
    const { ticket } = await ada.trpc.session.ticket.mutate();
    expect(await listen(`ticket=${ticket}`)).toContain(channelId);
  });

  it('[LIMIT-116] tickets are limited a user', async () => {
    await using limited = await startStack({ TICKETS_PER_HOUR: '2' });
    const { trpc } = await limited.user('keen');
    for (let i = 0; i < 2; i++) await trpc.session.ticket.mutate();
    expect(await failureOf(trpc.session.ticket.mutate())).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('[AUTH-66] without the cache store there are no tickets for now, and open streams go on', async () => {
    const bob = client('bob');
    const feed = bob.channel(channelId);
    await vi.waitFor(() => expect(feed.types()).toContain('opened'), BACK_MS);
    await stack.cache.kill();
    const refused = await failureOf(bob.rpc.session.ticket.mutate());
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: expect.any(Number) });
    await say('meanwhile');
    await vi.waitFor(() => expect(feed.bodies()).toContain('meanwhile'));
    await stack.cache.restart();
    await vi.waitFor(async () => expect((await bob.rpc.session.ticket.mutate()).ticket).toBeDefined(), BACK_MS);
    feed.leave();
  }, 40_000);
});

function keysOf(url: string) {
  const redis = new Redis(url);
  return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() };
}
