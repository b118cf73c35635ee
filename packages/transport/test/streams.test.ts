import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@parley/runtime';
import { initTRPC } from '@trpc/server';
import { expect, test, vi } from 'vitest';
import { createHttpDoor } from '../src/index.ts';
import { type OpenDoor, openDoor } from './door.ts';

/** Asks for a feed and reads what comes, until told to read no more. */
function watch(open: OpenDoor, path: string, headers: readonly string[] = []): { socket: Socket; seen: () => string } {
  let seen = '';
  const socket = connect(open.port, '127.0.0.1', () =>
    socket.write([`GET /trpc/${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')),
  );
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    seen += chunk;
  });
  return { socket, seen: () => seen };
}

const streams = async (open: OpenDoor) => Number(/stream_connections (\d+)/.exec(await open.metrics())?.[1]);
const ends = async (open: OpenDoor, why: string) =>
  Number(new RegExp(`stream_ends_total\\{why="${why}"\\} (\\d+)`).exec(await open.metrics())?.[1] ?? 0);

/** The server's side of each connection, to look at what waits there. */
function socketsOf(open: OpenDoor): Set<Socket> {
  const kept = new Set<Socket>();
  open.server.on('connection', (socket: Socket) => {
    kept.add(socket);
    socket.once('close', () => kept.delete(socket));
  });
  return kept;
}

/** The most bytes that wait for one reader inside of this process. */
const waiting = (sockets: Set<Socket>) => Math.max(0, ...[...sockets].map((socket) => socket.writableLength));

test('[DOOR-40] a feed is a stream of events that no proxy and no cache keeps, and that is never compressed', async () => {
  await using open = await openDoor();
  const { socket, seen } = watch(open, 'quiet', ['Accept-Encoding: gzip, br']);
  // Its procedure holds a feed of a connection, of which there is none here: the error comes as an event.
  await vi.waitFor(() => expect(seen()).toContain('event: serialized-error'));
  const head = seen().slice(0, seen().indexOf('\r\n\r\n'));
  expect(head).toMatch(/^HTTP\/1.1 200/);
  for (const line of ['content-type: text/event-stream', 'cache-control: no-store', 'x-accel-buffering: no']) {
    expect(head.toLowerCase()).toContain(line);
  }
  expect(head.toLowerCase()).not.toContain('content-encoding');
  socket.destroy();
});

test('[DOOR-41] readers of streams that stall cost 64 KB and one event each, and are ended', async () => {
  await using open = await openDoor({ http: { limits: { slowAfterMs: 1_000 } } });
  const sockets = socketsOf(open);
  const readers = Array.from({ length: 20 }, () => watch(open, 'stream'));
  await vi.waitFor(async () => expect(await streams(open)).toBe(20));
  for (const { socket } of readers) socket.pause();
  let most = 0;
  await vi.waitFor(
    async () => {
      most = Math.max(most, waiting(sockets));
      expect(await ends(open, 'slow')).toBe(20);
    },
    { timeout: 45_000, interval: 20 },
  );
  expect(most).toBeGreaterThan(60_000);
  expect(most).toBeLessThan(100_000);
  expect(await streams(open)).toBe(0);
  for (const { socket } of readers) socket.destroy();
}, 60_000);

test('[DOOR-41] control: with a gate that never shuts, what waits grows and grows', async () => {
  const limits = { highWaterBytes: Number.POSITIVE_INFINITY };
  await using open = await openDoor({ http: { limits } });
  const sockets = socketsOf(open);
  const { socket } = watch(open, 'stream');
  await vi.waitFor(async () => expect(await streams(open)).toBe(1));
  socket.pause();
  await vi.waitFor(() => expect(waiting(sockets)).toBeGreaterThan(3_000_000), { timeout: 30_000 });
  socket.destroy();
}, 40_000);

test('[DOOR-41] a reader that keeps up gets everything, in order, while others stall', async () => {
  await using open = await openDoor();
  const stalled = watch(open, 'stream');
  const reader = watch(open, 'stream');
  await vi.waitFor(() => expect(stalled.seen()).toContain('id: 1-1'));
  stalled.socket.pause();
  await vi.waitFor(() => expect(reader.seen()).toContain('id: 1-300'), { timeout: 15_000 });
  const ids = [...reader.seen().matchAll(/^id: 1-(\d+)$/gm)].map((match) => Number(match[1]));
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => i + 1));
  for (const { socket } of [stalled, reader]) socket.destroy();
  await vi.waitFor(async () => expect(await streams(open)).toBe(0));
});

test('[DOOR-42] streams are capped; one more is told so, and there is room again when one ends', async () => {
  await using open = await openDoor({ http: { maxStreams: 2 } });
  const [first, second] = [watch(open, 'stream'), watch(open, 'stream')];
  await vi.waitFor(async () => expect(await streams(open)).toBe(2));
  const third = watch(open, 'stream');
  await vi.waitFor(() => expect(third.seen()).toContain('SERVICE_UNAVAILABLE'));
  first.socket.destroy();
  await vi.waitFor(async () => expect(await streams(open)).toBe(1));
  const fourth = watch(open, 'stream');
  await vi.waitFor(() => expect(fourth.seen()).toContain('id: 1-1'));
  for (const { socket } of [second, third, fourth]) socket.destroy();
});

test('[DOOR-43] a drain asks the streams one after the other to come anew, between two events, and ends', async () => {
  await using open = await openDoor();
  const readers = Array.from({ length: 10 }, () => watch(open, 'stream'));
  await vi.waitFor(async () => expect(await streams(open)).toBe(10));
  const drained = open.http.drain({ windowMs: 500, lingerMs: 0 });
  await sleep(150);
  const [early, late] = [await ends(open, 'renewed'), await streams(open)];
  expect(early).toBeGreaterThan(0);
  expect(late).toBeGreaterThan(0);
  await drained;
  expect(await ends(open, 'renewed')).toBe(10);
  for (const { seen } of readers) {
    await vi.waitFor(() => {
      // Each write is a chunk of its own.
      expect(seen().slice(-200)).toMatch(
        /\n\n\r\n[0-9a-f]+\r\nretry: 60000\nevent: connected\ndata: \{"reconnectAfterInactivityMs":3\d{3}\}\n\n/,
      );
    });
  }
  // Nobody is kept: an answer is the last of its connection.
  const { socket, seen } = watch(open, 'ping');
  await vi.waitFor(() => expect(seen().toLowerCase()).toContain('connection: close'));
  await vi.waitFor(() => expect(socket.closed).toBe(true));
  const afterwards = watch(open, 'stream');
  await vi.waitFor(() => expect(afterwards.seen()).toContain('reconnectAfterInactivityMs'));
  expect(afterwards.seen()).not.toContain('id: 1-1');
});

test('[DOOR-43] a drain ends although a reader reads nothing', async () => {
  await using open = await openDoor();
  const { socket } = watch(open, 'stream');
  await vi.waitFor(async () => expect(await streams(open)).toBe(1));
  socket.pause();
  await sleep(300);
  await open.http.drain({ windowMs: 100, lingerMs: 100 });
  expect(await streams(open)).toBe(0);
  socket.destroy();
});

test('[DOOR-44] a stream that has nothing to tell says that it is alive, and its client learns how long to wait for that', async () => {
  const t = initTRPC.create({
    sse: { ping: { enabled: true, intervalMs: 30 }, client: { reconnectAfterInactivityMs: 90 } },
  });
  const router = t.router({
    quiet: t.procedure.subscription(async function* ({ signal }) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
      yield 'never';
    }),
  });
  const log = createLog({ name: 'test', level: 'silent' });
  const http = createHttpDoor({ router, path: '/trpc', log, metrics: createMetrics(), createContext: () => ({}) });
  await using open = await openDoor();
  open.server.removeAllListeners('request').on('request', (req, res) => void http.answer(req, res));
  const { socket, seen } = watch(open, 'quiet');
  await vi.waitFor(() => expect(seen().match(/event: ping/g)?.length).toBeGreaterThan(3));
  expect(seen()).toContain('data: {"reconnectAfterInactivityMs":90}');
  socket.destroy();
});
