import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createGate, DOOR_LIMITS } from '../src/index.ts';
import { CODES, joinDoor, type OpenDoor, openDoor, query, upgradeLines } from './door.ts';

/** A client frame, masked with zeros. */
function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const length =
    body.length < 126 ? Buffer.from([0x80 | body.length]) : Buffer.from([0xfe, body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from([0x81]), length, Buffer.alloc(4), body]);
}

/** A peer that subscribes and then reads nothing any more. */
function stalled(open: OpenDoor, message: unknown): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(open.port, '127.0.0.1', () =>
      socket.write(`${upgradeLines('/trpc', 'x').join('\r\n')}\r\n\r\n`),
    );
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(frame(message));
      resolve(socket);
    });
  });
}

const subscribe = { id: 1, method: 'subscription', params: { path: 'flood' } };
const KINDS = ['flood', 'pushed'];
const NO_LIMITS = { highWaterBytes: 1e12, slowBytes: 1e12, waitingBytes: 1e12 };
const buffered = (open: OpenDoor) => [...open.door.connections()].map((connection) => connection.socket.bufferedAmount);

test.each(KINDS)(
  '[DOOR-12] readers that stall cost 64 KB and one event each, and are closed: %s',
  async (path) => {
    await using open = await openDoor({ limits: { slowAfterMs: 1_500 } });
    const message = { ...subscribe, params: { path } };
    const readers = await Promise.all(Array.from({ length: 100 }, () => stalled(open, message)));
    await vi.waitFor(() => expect(Math.max(...buffered(open))).toBeGreaterThan(60_000), { timeout: 15_000 });
    let most = 0;
    await vi.waitFor(
      async () => {
        most = Math.max(most, ...buffered(open), 0);
        expect([...open.door.connections()]).toHaveLength(0);
      },
      { timeout: 45_000, interval: 20 },
    );
    expect(most).toBeLessThan(100_000);
    expect(await open.metrics()).toMatch(/socket_closes_total\{code="1006"\} 100/);
    for (const reader of readers) reader.destroy();
  },
  60_000,
);

test('[DOOR-12] control: without the gate what waits for a stalled reader grows and grows', async () => {
  await using open = await openDoor({ limits: NO_LIMITS });
  const reader = await stalled(open, subscribe);
  await vi.waitFor(() => expect(Math.max(...buffered(open))).toBeGreaterThan(5_000_000), { timeout: 15_000 });
  reader.destroy();
});

test.each(KINDS)('[DOOR-12] a reader that keeps up gets everything, in order, while others stall: %s', async (path) => {
  await using open = await openDoor();
  const message = { ...subscribe, params: { path } };
  const reader = await stalled(open, message);
  const peer = await joinDoor(open.url);
  peer.ws.send(JSON.stringify(message));
  await vi.waitFor(() => expect(peer.heard.length).toBeGreaterThan(500), { timeout: 15_000 });
  const numbers = peer.heard.slice(1).map((text) => JSON.parse(text).result.data.data.n);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  reader.destroy();
});

test('[DOOR-13] who does not read the answers gets no more questions in', async () => {
  await using open = await openDoor({ limits: { slowAfterMs: 1_500, slowBytes: 50_000_000 } });
  const reader = await stalled(open, query(1, 'big'));
  let id = 1;
  const ask = setInterval(() => reader.write(frame(query(++id, 'big'))), 2);
  await vi.waitFor(() => expect([...open.door.connections()][0]?.socket.isPaused).toBe(true), { timeout: 15_000 });
  await sleep(200);
  // Up to the pause an answer of 100 KB each; what one chunk held may still come.
  expect(Math.max(...buffered(open))).toBeLessThan(3_000_000);
  await vi.waitFor(() => expect([...open.door.connections()]).toHaveLength(0), { timeout: 15_000 });
  clearInterval(ask);
  reader.destroy();
});

test('[DOOR-13] control: without a high-water mark the answers pile up', async () => {
  await using open = await openDoor({ limits: { highWaterBytes: 1_000_000_000 } });
  const reader = await stalled(open, query(1, 'big'));
  let id = 1;
  const ask = setInterval(() => reader.write(frame(query(++id, 'big'))), 2);
  await vi.waitFor(() => expect(Math.max(...buffered(open))).toBeGreaterThan(6_000_000), { timeout: 15_000 });
  clearInterval(ask);
  reader.destroy();
});

test('[DOOR-12] a reader with more than the bound waiting for it is closed with the slow code', async () => {
  await using open = await openDoor({ limits: { slowBytes: 100_000, highWaterBytes: 50_000 } });
  const peer = await joinDoor(open.url);
  const [connection] = open.door.connections();
  peer.ws.pause();
  for (let i = 0; i < 200; i++) connection?.socket.send('x'.repeat(100_000));
  // A feed that finds the gate shut makes the door look.
  peer.ws.send(JSON.stringify(subscribe));
  await vi.waitFor(() => expect(connection?.socket.readyState).not.toBe(connection?.socket.OPEN));
  peer.ws.resume();
  expect((await peer.closed).code).toBe(CODES.slow);
});

test('the gate lets one feed in after the other, and forgets those that end', async () => {
  await using open = await openDoor();
  const peer = await joinDoor(open.url);
  const [connection] = open.door.connections();
  if (!connection) throw new Error('no connection');
  const { socket } = connection;
  const carrier = {
    get waitingBytes() {
      return socket.bufferedAmount;
    },
    isOpen: true,
    cutOff: () => undefined,
  };
  const gate = createGate(carrier, DOOR_LIMITS);
  peer.ws.pause();
  await vi.waitFor(
    () => {
      connection.socket.send('x'.repeat(30_000));
      expect(gate.isOpen).toBe(false);
    },
    { interval: 1 },
  );
  const ended = new AbortController();
  const reason = new Error('unsubscribed');
  const order: string[] = [];
  const wait = async (name: string, signal: AbortSignal) => {
    await gate.open(signal);
    order.push(name);
  };
  const all = Promise.allSettled([
    wait('first', AbortSignal.timeout(10_000)),
    wait('ended', ended.signal),
    wait('second', AbortSignal.timeout(10_000)),
  ]);
  ended.abort(reason);
  await sleep(60);
  expect(order).toEqual([]);
  peer.ws.resume();
  expect((await all).map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(order).toEqual(['first', 'second']);
  await expect(gate.open(ended.signal)).rejects.toBe(reason);
});
