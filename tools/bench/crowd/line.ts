import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

// One buffer for the reads of all sockets: what is in it is looked at before the next read.
const READ = Buffer.allocUnsafe(262_144);
const NOTHING = Buffer.alloc(0);
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

interface LineOptions {
  readonly port: number;
  readonly path: string;
  /** A text frame: the bytes from `start` to `end`, valid until it returns. */
  onText(bytes: Buffer, start: number, end: number): void;
  onOpen(): void;
  /** Once, however the line ends; with the server's words, if it said any. */
  onEnd(reason: string): void;
}

/**
 * A WebSocket client that costs little: a load generator must not be what a benchmark measures. No fragments, no compression, and a mask
 * of zeros, which the protocol allows and which spares the masking.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #socket: Socket;
  #isOpen = false;
  #rest: Buffer = NOTHING;
  #reason = '';

  constructor(options: LineOptions) {
    this.#options = options;
    const onread = { buffer: READ, callback: (length: number) => this.#read(length) };
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.once('connect', () => this.#socket.write(this.#handshake()));
    this.#socket.once('error', (error) => {
      this.#reason ||= error.message;
    });
    this.#socket.once('close', () => options.onEnd(this.#reason || 'the server hung up'));
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text));
  }

  /** At once, without a word. */
  cut(): void {
    this.#socket.destroy();
  }

  #handshake(): string {
    const { path, port } = this.#options;
    return [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      '\r\n',
    ].join('\r\n');
  }

  #write(opcode: number, payload: Buffer): void {
    const short = payload.length < 126;
    const head = short ? 6 : 8;
    const frame = Buffer.allocUnsafe(head + payload.length);
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (short ? payload.length : 126);
    if (!short) frame.writeUInt16BE(payload.length, 2);
    frame.writeUInt32BE(0, head - 4);
    payload.copy(frame, head);
    this.#socket.write(frame);
  }

  #read(length: number): boolean {
    let bytes = READ;
    let end = length;
    if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, READ.subarray(0, length)]);
      end = bytes.length;
    }
    const used = this.#isOpen ? this.#walk(bytes, 0, end) : this.#welcome(bytes, end);
    this.#rest = used < end ? Buffer.from(bytes.subarray(used, end)) : NOTHING;
    return true;
  }

  /** The answer to the handshake; what comes behind it are frames. */
  #welcome(bytes: Buffer, end: number): number {
    const head = bytes.subarray(0, end).indexOf('\r\n\r\n');
    if (head < 0) return 0;
    const status = bytes.toString('latin1', 0, head).split('\r\n')[0] ?? '';
    if (!status.includes(' 101 ')) {
      this.#reason = status;
      this.#socket.destroy();
      return end;
    }
    this.#isOpen = true;
    this.#options.onOpen();
    return this.#walk(bytes, head + 4, end);
  }

  #walk(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (end - at >= 2) {
      const opcode = (bytes[at] ?? 0) & 0x0f;
      let size = (bytes[at + 1] ?? 0) & 0x7f;
      let start = at + 2;
      if (size === 126) {
        if (end - at < 4) break;
        size = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (size === 127) {
        if (end - at < 10) break;
        size = bytes.readUInt32BE(at + 6);
        start = at + 10;
      }
      if (end - start < size) break;
      at = start + size;
      if (opcode === TEXT) this.#options.onText(bytes, start, at);
      else if (opcode === PING) this.#write(PONG, Buffer.from(bytes.subarray(start, at)));
      else if (opcode === CLOSE) this.#reason = `closed with ${size >= 2 ? bytes.readUInt16BE(start) : 'no code'}`;
    }
    return at;
  }
}
