import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { failureOf, type Stack, startStack, text } from './stack.ts';

const PAGE_ORIGIN = 'https://chat.example.com';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false', ALLOWED_ORIGINS: PAGE_ORIGIN });
});

afterAll(() => stack?.[Symbol.asyncDispose]());

/** A channel with a page full of messages. */
async function fill(of: Stack) {
  const { trpc, token } = await of.user('writer');
  const { id: channelId } = await trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
  const words = ['the', 'quick', 'brown', 'fox', 'jumps', 'over', 'a', 'lazy', 'dog', 'and', 'runs'];
  for (let i = 0; i < 40; i++) {
    const body = Array.from({ length: 12 }, (_, w) => words[(i * 7 + w * (1 + (i % 5))) % words.length]).join(' ');
    await trpc.message.send.mutate(text(channelId, body));
  }
  return { channelId, token };
}

/** What comes over the wire, with nothing undone. */
function page(of: Stack, { channelId, token }: { channelId: string; token: string }, headers: Record<string, string>) {
  const input = encodeURIComponent(JSON.stringify({ channelId, limit: 40 }));
  return new Promise<{ encoding: string | undefined; body: Buffer }>((resolve, reject) => {
    const path = `/trpc/message.page?input=${input}`;
    const asked = request(
      { port: of.port, path, headers: { authorization: `Bearer ${token}`, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => resolve({ encoding: answer.headers['content-encoding'], body: Buffer.concat(chunks) }));
      },
    );
    asked.on('error', reject).end();
  });
}

describe('answers over HTTP', () => {
  it('[DOOR-53] a page of messages is smaller by more than 30 %, and the same', async () => {
    const filled = await fill(stack);
    const plain = await page(stack, filled, {});
    expect(JSON.parse(String(plain.body)).result.data.items).toHaveLength(40);
    const [packed, brotli] = [
      await page(stack, filled, { 'accept-encoding': 'gzip' }),
      await page(stack, filled, { 'accept-encoding': 'gzip, deflate, br, zstd' }),
    ];
    expect([plain.encoding, packed.encoding, brotli.encoding]).toEqual([undefined, 'gzip', 'br']);
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    for (const { body } of [packed, brotli]) expect(body.byteLength).toBeLessThan(0.7 * plain.body.byteLength);
    const untouched = await page(stack, filled, { 'accept-encoding': 'gzip', 'x-no-compression': '1' });
    expect(untouched.body.equals(plain.body)).toBe(true);
  });

  it('[DOOR-53] control: with COMPRESSION=off it is not', async () => {
    await using off = await startStack({ COMPRESSION: 'off' });
    const filled = await fill(off);
    const asked = await page(off, filled, { 'accept-encoding': 'gzip, br' });
    expect(asked.encoding).toBeUndefined();
    expect(asked.body.equals((await page(off, filled, {})).body)).toBe(true);
  });

  it('[DOOR-54] calls of a batch answer each for itself, with its own error and a status for all', async () => {
    const trpc = stack.http(await stack.token('batcher'), { 'x-parley-protocol': '1' });
    const [me, none, channels] = await Promise.all([
      trpc.user.me.query(),
      failureOf(trpc.channel.get.query({ channelId: '0190a8f0-0000-7000-8000-000000000001' })),
      trpc.channel.list.query(),
    ]);
    expect([me.name, none, channels.items]).toEqual(['batcher', { code: 'NOT_FOUND', retryable: false }, []]);
    const mutations = [
      trpc.channel.create.mutate({ kind: 'group', name: 'made', memberIds: [] }),
      failureOf(trpc.channel.create.mutate({ kind: 'direct', memberIds: [] })),
    ] as const;
    expect((await mutations[0]).name).toBe('made');
    expect(await mutations[1]).toMatchObject({ code: 'INVALID' });
    const headers = { authorization: `Bearer ${await stack.token('batcher')}` };
    const statusOf = async (paths: string) => (await fetch(`${stack.url}/trpc/${paths}?batch=1`, { headers })).status;
    expect(await statusOf('user.me,user.me')).toBe(200);
    expect(await statusOf('user.me,channel.get')).toBe(207);
    expect(await statusOf('nothing.here,nothing.there')).toBe(404);
  });

  it('[DOOR-55] ALLOWED_ORIGINS may call with every header of the contract; others are refused before anything is done', async () => {
    const headers = { origin: PAGE_ORIGIN, 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${stack.url}/trpc/message.send`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(PAGE_ORIGIN);
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'x-parley-protocol',
        'x-no-compression',
        'last-event-id',
      ]),
    );
    const { trpc, token } = await stack.user('owner');
    const make = (origin: string) =>
      fetch(`${stack.url}/trpc/channel.create`, {
        method: 'POST',
        headers: { origin, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'group', name: origin, memberIds: [] }),
      });
    const foreign = await make('https://evil.example');
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect((await make(PAGE_ORIGIN)).status).toBe(200);
    expect((await make(stack.url)).status).toBe(200);
    const made = (await trpc.channel.list.query()).items.map((channel) => channel.name);
    expect(made.sort()).toEqual([PAGE_ORIGIN, stack.url].sort());
  });
});

describe('limits under load', () => {
  const passes = (call: Promise<unknown>) =>
    call.then(
      () => true,
      () => false,
    );

  /** How many HTTP calls, and how many more sends, are allowed while the backlog is at nine tenths. */
  async function allowedWhileFull(adaptive: string) {
    // No worker: whatever is sent waits.
    await using busy = await startStack({
      ADAPTIVE_LIMITS_ENABLED: adaptive,
      BACKLOG_MAX_ENTRIES: '100',
      HTTP_QUERIES_PER_HOUR: '20',
      SEND_RATE_PER_MINUTE: '1',
      SEND_BURST: '95',
    });
    const { trpc } = await busy.user('sender');
    const { id } = await trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    for (let i = 0; i < 90; i++) await trpc.message.send.mutate(text(id, `${i}`));
    if (adaptive === 'true') {
      await vi.waitFor(async () => expect(await busy.metrics.text()).toMatch(/load_factor\{of="calls"\} 0\.2/), 10_000);
    }
    const reader = busy.http(await busy.token('reader'));
    let calls = 0;
    while (await passes(reader.user.me.query())) calls++;
    let sends = 0;
    while (await passes(trpc.message.send.mutate(text(id, 'more')))) sends++;
    expect(await busy.metrics.text()).toContain('limit_refusals_total{limit="http.query"} 1');
    return { calls, sends };
  }

  it('[LIMIT-113] a full backlog leaves a fifth of the calls, and of sends more than that', async () => {
    const { calls, sends } = await allowedWhileFull('true');
    expect(calls).toBe(4);
    expect(sends).toBeGreaterThan(0);
    expect(sends).toBeLessThan(4);
  }, 40_000);

  it('[LIMIT-113] control: ADAPTIVE_LIMITS_ENABLED=false leaves all', async () => {
    expect(await allowedWhileFull('false')).toEqual({ calls: 20, sends: 5 });
  }, 40_000);
});
