import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@parley/runtime';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { initTRPC, TRPCError } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { createPublicServer, createSocketDoor } from '../src/index.ts';
import { CODES, joinDoor, openDoor, query, type Router, router } from './door.ts';

const params = (token: string) => JSON.stringify({ method: 'connectionParams', data: { token } });

test('[DOOR-2] a socket that announces parameters and stays silent is closed when its time is over', async () => {
  await using open = await openDoor({ limits: { identityWithinMs: 100 } });
  const peer = await joinDoor(`${open.url}?connectionParams=1`);
  expect(await peer.closed).toEqual({ code: CODES.unidentified, reason: 'too late' });
});

test('[DOOR-2] so is one whose context is never made, and one that has no identity in spite of a context', async () => {
  await using open = await openDoor({ limits: { identityWithinMs: 100 } });
  const hanging = await joinDoor(`${open.url}?connectionParams=1`);
  hanging.ws.send(params('hang'));
  hanging.ws.send(JSON.stringify(query(1, 'ping')));
  expect((await hanging.closed).code).toBe(CODES.unidentified);
  await using lax = await openDoor({
    limits: { identityWithinMs: 100 },
    createContext: ({ connection }) => ({ connection }),
  });
  const nobody = await joinDoor(lax.url);
  expect((await nobody.closed).code).toBe(CODES.unidentified);
});

test('[DOOR-2] control: one that says who it is stays', async () => {
  await using open = await openDoor({ limits: { identityWithinMs: 100 } });
  const peer = await joinDoor(`${open.url}?connectionParams=1`);
  peer.ws.send(params('ann'));
  await sleep(400);
  peer.ws.send(JSON.stringify(query(1, 'whoAmI')));
  expect(JSON.parse(await peer.next())).toEqual({ id: 1, result: { type: 'data', data: 'ann' } });
});

test('[DOOR-16] a peer that answers no ping is let go of; one that does stays (control)', async () => {
  await using open = await openDoor({ keepAlive: { pingMs: 100, pongWaitMs: 200 } });
  const [dead, alive] = await Promise.all([0, 1].map(() => joinDoor(`${open.url}?connectionParams=1`)));
  if (!dead || !alive) throw new Error('nobody came');
  for (const { ws } of [dead, alive]) ws.send(params('ann'));
  alive.ws.on('message', (data) => String(data) === 'PING' && alive.ws.send('PONG'));
  await dead.closed;
  expect(dead.heard).toContain('PING');
  await sleep(1_000);
  expect(alive.ws.readyState).toBe(alive.ws.OPEN);
});

test.each([
  ['bad', CODES.refused, 'unauthenticated'],
  ['expired', CODES.expired, 'token expired'],
])(
  '[DOOR-7] a connection whose token is %s gets the error, then the close code that was chosen',
  async (token, code, reason) => {
    await using open = await openDoor();
    const peer = await joinDoor(`${open.url}?connectionParams=1`);
    peer.ws.send(params(token));
    peer.ws.send(JSON.stringify(query(1, 'ping')));
    expect(await peer.closed).toEqual({ code, reason });
    const answers = peer.heard.map((text) => JSON.parse(text));
    expect(answers.map(({ id, error }) => [id, error.message, error.data.code])).toEqual([
      [null, token, 'UNAUTHORIZED'],
      [1, token, 'UNAUTHORIZED'],
    ]);
  },
);

test('[DOOR-7] the stock client’s call fails with the typed error, not with a lost connection', async () => {
  await using open = await openDoor();
  const codes: (number | undefined)[] = [];
  const socket = createWSClient({
    url: open.url,
    connectionParams: { token: 'expired' },
    retryDelayMs: () => 60_000,
    onClose: (cause) => codes.push(cause?.code),
  });
  const client = createTRPCClient<Router>({ links: [wsLink<Router>({ client: socket })] });
  await expect(client.ping.query()).rejects.toMatchObject({ message: 'expired', data: { code: 'UNAUTHORIZED' } });
  await vi.waitFor(() => expect(codes).toEqual([CODES.expired]));
  await socket.close();
});

test('[DOOR-7] control: the stock adapter closes without a code', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  applyWSSHandler({
    wss,
    router,
    createContext: () => Promise.reject(new TRPCError({ code: 'UNAUTHORIZED', message: 'bad' })),
  });
  await once(wss, 'listening');
  const { port } = wss.address() as AddressInfo;
  const peer = await joinDoor(`ws://127.0.0.1:${port}/trpc`);
  expect((await peer.closed).code).toBe(1005);
  wss.close();
});

test('[DOOR-5] internal error texts reach no client, neither from a call nor from the making of a context', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  peer.ws.send(JSON.stringify(query(1, 'fail')));
  expect(await peer.next()).toContain('internal error');
  const refused = await joinDoor(`${open.url}?connectionParams=1`);
  refused.ws.send(params('leak'));
  refused.ws.send(JSON.stringify(query(1, 'ping')));
  expect((await refused.closed).reason).toBe('unauthenticated');
  expect([...peer.heard, ...refused.heard].join()).not.toMatch(/hunter2|\.ts/);
});

test('[DOOR-5] control: a router without an error formatter tells everything', async () => {
  const t = initTRPC.create();
  const server = createPublicServer(() => undefined);
  const door = createSocketDoor({
    server,
    router: t.router({
      fail: t.procedure.query(() => {
        throw new Error('password=hunter2');
      }),
    }),
    path: '/trpc',
    log: createLog({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    createContext: () => ({}),
    refused: () => ({ code: CODES.refused, reason: '' }),
    unidentified: { code: CODES.unidentified, reason: '' },
    slowCode: CODES.slow,
  });
  await door.run();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const peer = await joinDoor(`ws://127.0.0.1:${port}/trpc`);
  peer.ws.send(JSON.stringify(query(1, 'fail')));
  expect(await peer.next()).toContain('hunter2');
  await door.drain({ windowMs: 0, lingerMs: 0 });
});

test('[DOOR-3] a frame above 64 KB closes with 1009, a flood of fragments with 1008, bad UTF-8 with 1007', async () => {
  await using open = await openDoor();
  const large = await joinDoor(open.url);
  large.ws.send('x'.repeat(70_000));
  expect((await large.closed).code).toBe(1009);
  const fragments = await joinDoor(open.url);
  for (let i = 0; i < 40; i++) fragments.ws.send('x', { fin: false });
  expect((await fragments.closed).code).toBe(1008);
  const garbage = await joinDoor(open.url);
  garbage.ws.send(Buffer.from([0xff, 0xfe]), { binary: false });
  expect((await garbage.closed).code).toBe(1007);
});

test('[DOOR-3] control: without the limit the large frame is read', async () => {
  await using open = await openDoor({ limits: { frameMaxBytes: 1_000_000 } });
  const peer = await joinDoor(open.url);
  peer.ws.send('x'.repeat(70_000));
  expect(await peer.next()).toContain('PARSE_ERROR');
});

test('[DOOR-4] a frame with more than 128 calls runs none of them and answers each with an error', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  const calls = (count: number) =>
    JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, method: 'query', params: { path: 'ping' } })));
  expect(calls(1_000).length).toBeLessThan(65_536);
  peer.ws.send(calls(1_000));
  await vi.waitFor(() => expect(peer.heard).toHaveLength(1_000));
  for (const text of peer.heard) expect(text).toContain('Batch call exceeds maximum size');
  peer.ws.send(calls(128));
  await vi.waitFor(() => expect(peer.heard).toHaveLength(1_128));
  expect(peer.heard.filter((text) => text.includes('pong'))).toHaveLength(128);
});

test('[DOOR-4] control: with a higher cap they all run', async () => {
  await using open = await openDoor({ limits: { callsPerFrame: 2_000, slowBytes: 10_000_000 } });
  const peer = await joinDoor(open.url);
  peer.ws.send(JSON.stringify(Array.from({ length: 1_000 }, (_, id) => query(id, 'ping'))));
  await vi.waitFor(() => expect(peer.heard).toHaveLength(1_000));
  expect(peer.heard.filter((text) => text.includes('pong'))).toHaveLength(1_000);
});

test('[DOOR-4] 5,000 tiny calls in one frame are refused with one answer, and others are served meanwhile', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  const frame = JSON.stringify(Array.from({ length: 5_000 }, (_, id) => ({ id })));
  expect(frame.length).toBeLessThan(65_536);
  peer.ws.send(frame);
  const other = await joinDoor(open.url);
  other.ws.send(JSON.stringify(query(7, 'ping')));
  expect(await other.next()).toContain('pong');
  await vi.waitFor(() => expect(peer.heard.join()).toContain('Batch call exceeds maximum size'));
  expect(peer.heard).toHaveLength(1);
});

test('[DOOR-4] a connection holds at most so many feeds, and may open others when it ends some', async () => {
  await using open = await openDoor({ limits: { feeds: 2 } });
  const peer = await joinDoor(open.url);
  const send = (message: unknown) => peer.ws.send(JSON.stringify(message));
  const subscribe = (id: number) => send({ id, method: 'subscription', params: { path: 'quiet' } });
  const about = (id: number) => peer.heard.filter((text) => JSON.parse(text).id === id).join();
  for (const id of [1, 2, 3]) subscribe(id);
  await vi.waitFor(() => expect(about(3)).toContain('too many feeds'));
  expect(about(1)).toContain('hello');
  send({ id: 1, method: 'subscription.stop' });
  await vi.waitFor(() => expect(about(1)).toContain('stopped'));
  subscribe(4);
  await vi.waitFor(() => expect(about(4)).toContain('hello'));
});

test('[DOOR-11] a connection that sends too fast is read more slowly, and nothing is dropped', async () => {
  await using open = await openDoor({ limits: { frames: { burst: 5, perSecond: 50 } } });
  const peer = await joinDoor(open.url);
  const startedAt = Date.now();
  for (let id = 0; id < 30; id++) {
    peer.ws.send(JSON.stringify(query(id, 'ping')));
    await sleep(1);
  }
  await vi.waitFor(() => expect(peer.heard).toHaveLength(30), { timeout: 5_000 });
  expect(Date.now() - startedAt).toBeGreaterThan(200);
});

test('[DOOR-11] control: within its rate a connection is never held up', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  const [connection] = open.door.connections();
  const pause = vi.spyOn(connection?.socket ?? peer.ws, 'pause');
  for (let id = 0; id < 30; id++) {
    peer.ws.send(JSON.stringify(query(id, 'ping')));
    await sleep(1);
  }
  await vi.waitFor(() => expect(peer.heard).toHaveLength(30), { timeout: 5_000 });
  expect(pause).not.toHaveBeenCalled();
});

test('[DOOR-11] what a connection sends before it has a context is read one frame at a time and answered afterwards', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(`${open.url}?connectionParams=1`);
  peer.ws.send(params('slow'));
  await vi.waitFor(() => expect([...open.door.connections()][0]?.socket.isPaused).toBe(true));
  for (let id = 0; id < 20; id++) peer.ws.send(JSON.stringify(query(id, 'whoAmI')));
  await vi.waitFor(() => expect(peer.heard).toHaveLength(20), { timeout: 5_000 });
  expect(peer.heard[0]).toContain('slow');
});

test('closeWhere closes those whom the predicate picks, with the code', async () => {
  await using open = await openDoor();
  const join = async (token: string) => {
    const peer = await joinDoor(`${open.url}?connectionParams=1`);
    peer.ws.send(params(token));
    peer.ws.send(JSON.stringify(query(1, 'whoAmI')));
    await peer.next();
    return peer;
  };
  const ann = await join('ann');
  const bob = await join('bob');
  const ended = vi.fn();
  for (const connection of open.door.connections()) if (connection.identity?.user === 'ann') connection.onClose(ended);
  expect(open.door.closeWhere((c) => c.identity?.user === 'ann', 4503, 'revoked: '.padEnd(500, 'é'))).toBe(1);
  expect((await ann.closed).code).toBe(4503);
  await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(1));
  bob.ws.send(JSON.stringify(query(2, 'ping')));
  expect(await bob.next()).toContain('pong');
  expect(await open.metrics()).toContain('socket_closes_total{code="4503"} 1');
});
