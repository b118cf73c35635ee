import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { joinDoor, openDoor } from '../packages/transport/test/door.ts';

const LISTENING = '0A';

/** Bytes that the system holds for each connection of this port, whoever still has it open: only Linux says. */
function heldBySystem(port: number): number[] {
  const ours = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(ours) && state !== LISTENING)
    .map(([, , , , queues]) => Number.parseInt(queues?.split(':')[0] ?? '', 16))
    .filter((bytes) => bytes > 0);
}

// Who was closed for reading nothing was let go of by the process alone: the system kept the 4 MB that it had taken for him, and tried
// for minutes to bring them to him.
test.runIf(process.platform === 'linux')(
  '[DOOR-58] of a reader that was closed for stalling the system keeps nothing',
  async () => {
    await using open = await openDoor({ limits: { slowAfterMs: 500 } });
    const peer = await joinDoor(open.url);
    peer.ws.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'pushed' } }));
    peer.ws.pause();
    await vi.waitFor(() => expect(Math.max(0, ...heldBySystem(open.port))).toBeGreaterThan(1_000_000), {
      timeout: 15_000,
    });
    await vi.waitFor(() => expect([...open.door.connections()]).toHaveLength(0), { timeout: 15_000 });
    // Without an end of ours it would give up by itself after a minute and a half.
    await vi.waitFor(() => expect(heldBySystem(open.port)).toEqual([]), { timeout: 15_000 });
    peer.ws.terminate();
  },
  60_000,
);

// The same over HTTP: a stream was cut by an ordinary end.
test.runIf(process.platform === 'linux')(
  '[DOOR-58] of a stream that was cut for stalling the system keeps nothing',
  async () => {
    await using open = await openDoor({ http: { limits: { slowAfterMs: 500 } } });
    const socket = connect(open.port, '127.0.0.1', () => socket.write('GET /trpc/stream HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.on('error', () => undefined);
    socket.pause();
    await vi.waitFor(() => expect(Math.max(0, ...heldBySystem(open.port))).toBeGreaterThan(1_000_000), {
      timeout: 30_000,
    });
    await vi.waitFor(async () => expect(await open.metrics()).toMatch(/stream_ends_total\{why="slow"\} 1/), {
      timeout: 30_000,
    });
    await vi.waitFor(() => expect(heldBySystem(open.port)).toEqual([]), { timeout: 15_000 });
    socket.destroy();
  },
  90_000,
);
