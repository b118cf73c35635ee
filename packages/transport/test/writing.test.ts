import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { frameOf } from '../src/wire/frame.ts';
import { Outlet } from '../src/wire/outlet.ts';
import { Publication, RequestHead } from '../src/wire/publication.ts';
import { SocketWriter } from '../src/wire/socket-writer.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const same = (value: unknown) => value;

/** A stream that nobody reads, as a socket. */
function unread(outlet: Outlet) {
  const socket = new PassThrough({ highWaterMark: 1 });
  const ws = { readyState: 1, OPEN: 1 } as WebSocket;
  let cuts = 0;
  const writer = new SocketWriter({ ws, socket, outlet, onSlow: () => cuts++ });
  return { socket, ws, writer, cuts: () => cuts };
}

/** A publication's frame to one request. */
function written(publication: Publication, head: RequestHead): Buffer {
  const frame = Buffer.alloc(publication.bytesFor(head, same));
  expect(publication.write(head, frame, 0)).toBe(frame.length);
  return frame;
}

/** Counts how often its frame was put together. */
class Counted extends Publication {
  writes = 0;

  override write(head: RequestHead, into: Buffer, offset: number): number {
    this.writes++;
    return super.write(head, into, offset);
  }
}

/** Pairs of connected sockets of the system. */
async function sockets(count: number) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pairs: { peer: Socket; socket: Socket }[] = [];
  for (let i = 0; i < count; i++) {
    const accepted = once(server, 'connection');
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await accepted) as [Socket];
    pairs.push({ peer, socket });
  }
  return {
    pairs,
    async [Symbol.asyncDispose]() {
      for (const { peer, socket } of pairs) for (const end of [peer, socket]) end.destroy();
      server.close();
    },
  };
}

/** Somebody who reads all that is written to him. */
function reader(pair: { peer: Socket; socket: Socket } | undefined, outlet: Outlet, id: number) {
  if (!pair) throw new RangeError('no such pair');
  const heard: Buffer[] = [];
  pair.peer.on('data', (piece: Buffer) => heard.push(piece));
  const ws = { readyState: 1, OPEN: 1 } as WebSocket;
  const writer = new SocketWriter({ ws, socket: pair.socket, outlet, onSlow: () => undefined });
  return { id, writer, head: RequestHead.of(id, undefined), texts: () => textsIn(Buffer.concat(heard)) };
}

/** The texts of unmasked frames. */
function textsIn(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    texts.push(bytes.subarray(at + head, at + head + length).toString());
    at += head + length;
  }
  return texts;
}

describe('a publication', () => {
  test('[FAN-114] is encoded once, whoever it goes to', () => {
    let encoded = 0;
    const event = {
      toJSON: () => {
        encoded++;
        return { body: 'привет' };
      },
    };
    const publication = new Publication('7-1', event);
    const heads = [1, 1, 2, 'ы', 2].map((id) => new RequestHead(id, undefined));
    const frames = heads.map((head) => written(publication, head));
    expect(encoded).toBe(1);
    const data = { id: '7-1', data: { body: 'привет' } };
    const told = heads.map((_, i) => JSON.parse(textsIn(frames[i] ?? Buffer.alloc(0))[0] ?? ''));
    expect(told).toEqual([1, 1, 2, 'ы', 2].map((id) => ({ id, result: { type: 'data', data, id: '7-1' } })));
  });

  test('[FAN-114] control: one publication for each reader is encoded for each', () => {
    let encoded = 0;
    const event = { toJSON: () => encoded++ };
    for (const id of [1, 2, 3]) written(new Publication('7-1', event), new RequestHead(id, undefined));
    expect(encoded).toBe(3);
  });
});

describe('a socket', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('gets a text of %i bytes whole', (bytes) => {
    const text = 'x'.repeat(bytes);
    expect(textsIn(frameOf(text))).toEqual([text]);
  });

  test('[FAN-115] gets all that is written in one turn in one piece, in order, and nothing held back for another', async () => {
    const { socket, writer } = unread(new Outlet({ maxWaitingBytes: 1e9 }));
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    for (const text of ['a', 'b', 'ц']) writer.send(text);
    expect(writer.waitingBytes).toBe(10);
    await turn();
    for (const text of ['d', 'e']) writer.send(text);
    await turn();
    expect(pieces.map(textsIn)).toEqual([
      ['a', 'b', 'ц'],
      ['d', 'e'],
    ]);
    expect(writer.waitingBytes).toBe(0);
  });

  test('[FAN-114] what is the same for the next socket, is put together once, and each gets its own', async () => {
    await using net = await sockets(4);
    const outlet = new Outlet({ maxWaitingBytes: 1e9 });
    const readers = [1, 1, 2, 2].map((id, i) => reader(net.pairs[i], outlet, id));
    for (let n = 1; n <= 20; n++) {
      const publications = [n, n + 0.5].map((at) => new Counted(`1-${at}`, { n: at }));
      for (const { writer, head } of readers) {
        for (const each of publications) writer.publish(each, head, each.bytesFor(head, same));
      }
      await turn();
      expect(publications.map(({ writes }) => writes)).toEqual([2, 2]);
    }
    for (const { writer } of readers) writer.send('end');
    for (const { id, texts } of readers) {
      await expect.poll(() => texts().at(-1)).toBe('end');
      const told = texts()
        .slice(0, -1)
        .map((text) => JSON.parse(text));
      expect(told.map((frame) => frame.id)).toEqual(Array(40).fill(id));
      expect(told.map((frame) => frame.result.data.data.n)).toEqual(Array.from({ length: 40 }, (_, i) => 1 + i / 2));
    }
  });

  test('[FAN-115] keeps what the system has not taken, whatever is written to others meanwhile', async () => {
    await using net = await sockets(2);
    const outlet = new Outlet({ maxWaitingBytes: 1e9 });
    const open = (i: number) => {
      const pair = net.pairs[i];
      if (!pair) throw new RangeError('no such pair');
      const ws = { readyState: 1, OPEN: 1 } as WebSocket;
      return { ...pair, writer: new SocketWriter({ ws, socket: pair.socket, outlet, onSlow: () => undefined }) };
    };
    const [slow, quick] = [open(0), open(1)];
    quick.peer.resume();
    const head = new RequestHead(1, undefined);
    const publish = ({ writer }: typeof slow, n: number, filling: string) => {
      const publication = new Publication(`1-${n}`, { filling: filling.repeat(40_000) });
      writer.publish(publication, head, publication.bytesFor(head, same));
    };
    let sent = 0;
    for (let beyond = 0; beyond < 5; sent++) {
      publish(slow, sent, 'a');
      publish(quick, sent, 'b');
      await turn();
      if (slow.socket.writableLength > 0) beyond++;
    }
    const heard: Buffer[] = [];
    slow.peer.on('data', (piece: Buffer) => heard.push(piece));
    slow.socket.end();
    await once(slow.peer, 'end');
    const told = textsIn(Buffer.concat(heard)).map((text) => JSON.parse(text).result);
    expect(told.map(({ id }) => id)).toEqual(Array.from({ length: sent }, (_, n) => `1-${n}`));
    for (const { data } of told) expect(data.data.filling).toBe('a'.repeat(40_000));
  });

  test('gets nothing once it closes', async () => {
    const { socket, ws, writer } = unread(new Outlet({ maxWaitingBytes: 1e9 }));
    writer.send('a');
    Object.assign(ws, { readyState: 2 });
    await turn();
    expect(socket.readableLength).toBe(0);
  });
});

describe('what waits for all readers', () => {
  async function stalled(maxWaitingBytes: number) {
    const outlet = new Outlet({ maxWaitingBytes });
    const sockets = [10_000, 200_000, 50_000].map((bytes) => ({ ...unread(outlet), bytes }));
    for (const { writer, bytes } of sockets) writer.send('x'.repeat(bytes));
    await turn();
    expect(outlet.waiting.sumBytes).toBeGreaterThan(200_000);
    expect(outlet.waiting.maxBytes).toBeGreaterThan(190_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { cuts: sockets.map(({ cuts }) => cuts()), outlet, sockets };
  }

  test('[DOOR-57] is bounded: above it the one is cut off who leaves the most', async () => {
    const { cuts } = await stalled(100_000);
    expect(cuts).toEqual([0, 1, 0]);
  });

  test('[DOOR-57] control: below the bound nobody is', async () => {
    const { cuts, outlet, sockets } = await stalled(1e9);
    expect(cuts).toEqual([0, 0, 0]);
    for (const { socket } of sockets) socket.resume();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(outlet.waiting).toEqual({ sumBytes: 0, maxBytes: 0 });
  });
});
