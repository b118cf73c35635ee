import { connect, type Socket } from 'node:net';
import { pathOf, speechOf } from './crowd/dialects.ts';
import type { ClientSpec } from './crowd/orders.ts';

const AGAIN_MS = 200;

/** Somebody who subscribes to a channel, reads nothing from then on, and comes back whenever he is closed. */
export class StalledReader implements Disposable {
  readonly #spec: ClientSpec;
  readonly #channelId: string;
  #socket: Socket | undefined;
  #isOver = false;
  /** How often the server has let go of him. */
  cuts = 0;

  constructor(spec: ClientSpec, channelId: string) {
    this.#spec = spec;
    this.#channelId = channelId;
    this.#come();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  #come(): void {
    if (this.#isOver) return;
    const speech = speechOf('trpc');
    const socket = connect(this.#spec.port, '127.0.0.1');
    this.#socket = socket;
    const head = `GET ${pathOf(speech, this.#channelId)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    socket.write(`${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.cuts++;
      setTimeout(() => this.#come(), AGAIN_MS);
    });
    socket.once('data', () => {
      for (const text of speech.hello(this.#spec, this.#channelId, null)) socket.write(masked(text));
      socket.pause();
    });
  }
}

/** A client frame, masked with zeros. */
function masked(text: string): Buffer {
  const body = Buffer.from(text);
  const length = body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([0x81, ...length]), Buffer.alloc(4), body]);
}
