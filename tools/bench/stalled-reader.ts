import { connect, type Socket } from 'node:net';
import { pathOf, speechOf } from './crowd/dialects.ts';
import type { ClientSpec } from './crowd/orders.ts';

const AGAIN_MS = 200;
/** Who reads nothing does not see that he was let go of, but his own words do not get through any more. */
const SPEAKS_EVERY_MS = 1_000;
const TEXT = 0x81;
/** What is read is looked at only until the feed is open, so one place for all of it will do. */
const READ = Buffer.allocUnsafe(65_536);
const OPENED = /"type":"opened"/;
const SPEECH = speechOf('trpc');

/** Somebody who is subscribed to a channel, who reads what he gets or reads nothing at all, and who comes back, as he was, whenever he is closed. */
export class StalledReader implements Disposable {
  readonly #spec: ClientSpec;
  readonly #channelId: string;
  #socket: Socket | undefined;
  #heard = '';
  #isOpen = false;
  #isStalled = false;
  #isOver = false;
  /** The last event that he has seen, of those that he looks at. */
  #lastEventId: string | null = null;
  readonly #voice: NodeJS.Timeout;
  /** How often the server has let go of him since he stalled last. */
  cuts = 0;

  constructor(spec: ClientSpec, channelId: string) {
    this.#spec = spec;
    this.#channelId = channelId;
    this.#voice = setInterval(() => {
      if (this.#isOpen) this.#say('PONG');
    }, SPEAKS_EVERY_MS);
    this.#come();
  }

  /** Whether he is subscribed, as far as he can see. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  stall(): void {
    this.#isStalled = true;
    this.cuts = 0;
    if (this.#isOpen) this.#socket?.pause();
  }

  read(): void {
    this.#isStalled = false;
    this.#socket?.resume();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#voice);
    this.#socket?.destroy();
  }

  #come(): void {
    if (this.#isOver) return;
    const callback = (length: number) => {
      if (!this.#isOpen) this.#hear(READ.toString('latin1', 0, length));
      return !(this.#isOpen && this.#isStalled);
    };
    const socket = connect({ port: this.#spec.port, host: '127.0.0.1', onread: { buffer: READ, callback } });
    this.#socket = socket;
    this.#heard = '';
    const head = `GET ${pathOf(SPEECH, this.#channelId)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    socket.write(`${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    // The close event follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#isOpen) this.cuts++;
      this.#isOpen = false;
      setTimeout(() => this.#come(), AGAIN_MS);
    });
  }

  /** The welcome first, then whatever comes until the feed is open. */
  #hear(text: string): void {
    const isWelcome = this.#heard === '';
    this.#heard += text;
    if (isWelcome) for (const word of SPEECH.hello(this.#spec, this.#channelId, this.#lastEventId)) this.#say(word);
    if (!OPENED.test(this.#heard)) return;
    this.#isOpen = true;
    this.#lastEventId = /"id":"(\d+-\d+)"/.exec(this.#heard)?.[1] ?? null;
  }

  /** A client frame, masked with zeros. */
  #say(text: string): void {
    const body = Buffer.from(text);
    const length = body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 0xff];
    this.#socket?.write(Buffer.concat([Buffer.from([TEXT, ...length]), Buffer.alloc(4), body]));
  }
}
