import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkStalled } from './bench/rows/stalled.ts';
import { StalledReader } from './bench/stalled-reader.ts';

const OPENED = '{"id":1,"result":{"type":"data","data":{"id":"1-7","data":{"type":"opened"}}}}';

/** A server that opens a feed for everybody who comes, and that writes and ends when it is told to. */
async function feedServer() {
  const sockets: Socket[] = [];
  let heard = '';
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const isFirst = socket.bytesWritten === 0;
      heard += chunk.toString('latin1');
      if (isFirst) socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      else if (chunk.includes('feed.channel')) socket.write(Buffer.from([0x81, OPENED.length, ...Buffer.from(OPENED)]));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sockets,
    heard: () => heard,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}

describe('[BENCH-7] who stalls', () => {
  it('takes nothing once he is told to, sees that he was let go of, and comes back where he was', async () => {
    using server = await feedServer();
    using reader = new StalledReader({ port: server.port, token: 't', requestId: 1 }, 'c');
    await until(() => reader.isOpen);
    reader.stall();
    const [first] = server.sockets;
    // More than the system takes for anybody who does not read.
    first?.write(Buffer.alloc(33_554_432));
    let [still, before] = [0, 0];
    await until(() => {
      const now = first?.writableLength ?? 0;
      still = now === before ? still + 1 : 0;
      before = now;
      return still === 20;
    });
    expect(before).toBeGreaterThan(0);
    first?.destroy();
    await until(() => reader.cuts === 1);
    await until(() => server.sockets.length === 2 && reader.isOpen);
    expect(server.heard()).toContain('"lastEventId":"1-7"');
  });

  it('control: who reads takes all of it', async () => {
    using server = await feedServer();
    using reader = new StalledReader({ port: server.port, token: 't', requestId: 1 }, 'c');
    await until(() => reader.isOpen);
    const [first] = server.sockets;
    first?.write(Buffer.alloc(33_554_432));
    await until(() => first?.writableLength === 0);
    expect(reader.cuts).toBe(0);
  });

  it('and was not let go of gives no figure', () => {
    expect(checkStalled({ cuts: 100 }, 100)).toEqual({ cuts: 100 });
    expect(() => checkStalled({ cuts: 99 }, 100)).toThrow('99 sockets were closed as too slow, where 100 read nothing');
  });
});
