import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { expect, test, vi } from 'vitest';
import { joinDoor, openDoor, type Router, rawRequest, upgradeLines } from './door.ts';

test('[DOOR-14] a drain asks the clients to move one after the other, then closes the rest with 1012', async () => {
  const open = await openDoor();
  const peers = await Promise.all(Array.from({ length: 20 }, () => joinDoor(open.url)));
  const askedAt: number[] = [];
  for (const peer of peers) {
    peer.ws.on('message', (data) => {
      expect(String(data)).toBe('{"id":null,"method":"reconnect"}');
      askedAt.push(Date.now());
    });
  }
  const startedAt = Date.now();
  const drained = open.door.drain({ windowMs: 600, lingerMs: 100 });
  expect(open.door.drain()).toBe(drained);
  await drained;
  expect(askedAt).toHaveLength(20);
  // Spread: at no time did half of them go at once.
  const perStep = new Map<number, number>();
  for (const at of askedAt)
    perStep.set(Math.floor((at - startedAt) / 100), (perStep.get(Math.floor((at - startedAt) / 100)) ?? 0) + 1);
  expect(Math.max(...perStep.values())).toBeLessThan(15);
  expect(Math.max(...askedAt) - Math.min(...askedAt)).toBeGreaterThan(300);
  const closes = await Promise.all(peers.map((peer) => peer.closed));
  expect(new Set(closes.map((close) => close.code))).toEqual(new Set([1012]));
  expect([...open.door.connections()]).toEqual([]);
});

test('[DOOR-14] control: without a window all are asked at once', async () => {
  const open = await openDoor();
  const peers = await Promise.all(Array.from({ length: 20 }, () => joinDoor(open.url)));
  const drained = open.door.drain({ windowMs: 0, lingerMs: 2_000 });
  await vi.waitFor(() => expect(peers.flatMap((peer) => peer.heard)).toHaveLength(20), { interval: 1 });
  expect([...open.door.connections()]).toHaveLength(20);
  for (const peer of peers) peer.ws.terminate();
  await drained;
});

test('[DOOR-14] while it drains nobody is let in', async () => {
  const open = await openDoor();
  const peer = await joinDoor(open.url);
  // A connection made before the listener closed may still ask for an upgrade.
  const late = new Promise<string>((resolve) => {
    void rawRequest(open.port, ['GET /none HTTP/1.1', 'Host: x', '', ...upgradeLines('/trpc', 'x')], 1_500).then(
      resolve,
    );
  });
  const drained = open.door.drain({ windowMs: 300, lingerMs: 0 });
  await expect(joinDoor(open.url)).rejects.toThrow(/ECONNREFUSED|503|socket hang up|ECONNRESET/);
  await drained;
  expect(await late).not.toContain('101 Switching');
  expect((await peer.closed).code).toBe(1012);
});

test('[DOOR-14] a peer that answers nothing is cut off, so that the drain ends', async () => {
  const open = await openDoor();
  const peer = await joinDoor(open.url);
  peer.ws.pause();
  await open.door.drain({ windowMs: 0, lingerMs: 0 });
  expect([...open.door.connections()]).toEqual([]);
  peer.ws.terminate();
});

test('[DOOR-14] the stock client moves to another node and its subscription goes on', async () => {
  const first = await openDoor();
  await using second = await openDoor();
  let url = first.url;
  const socket = createWSClient({ url: () => url, retryDelayMs: () => 10 });
  const client = createTRPCClient<Router>({ links: [wsLink<Router>({ client: socket })] });
  const onData = vi.fn();
  const onError = vi.fn();
  const feed = client.quiet.subscribe(undefined, { onData, onError });
  await vi.waitFor(() => expect(onData).toHaveBeenCalledTimes(1));
  url = second.url;
  const startedAt = Date.now();
  await first.door.drain({ windowMs: 100, lingerMs: 10_000 });
  // It ended because the client had left, not because the time was over.
  expect(Date.now() - startedAt).toBeLessThan(9_000);
  await vi.waitFor(() => expect([...second.door.connections()]).toHaveLength(1));
  expect(await client.ping.query()).toBe('pong');
  expect(onError).not.toHaveBeenCalled();
  feed.unsubscribe();
  await socket.close();
});
