import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

type Reply = string | number | null | readonly Reply[];

/** A connection to Redis that only speaks RESP2: the bench needs a few commands, and none of a client's own costs. */
export class RedisLine {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void }[] = [];
  #text = '';
  /** Hears lines that nobody asked for: those of MONITOR. */
  onLine: ((line: string) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection to Redis is gone'));
    });
  }

  static async connect(port: number): Promise<RedisLine> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new RedisLine(socket);
  }

  /** Sends a command; resolves with its answer as text (of an array: its items with spaces between them), rejects with an error of Redis. */
  ask(...parts: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encode(parts));
    });
  }

  /** Sends a command whose answer nobody needs. */
  send(...parts: readonly string[]): void {
    this.#waiting.push({ resolve: () => undefined, reject: () => undefined });
    this.#socket.write(encode(parts));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    const text = this.#text + chunk;
    let at = 0;
    for (;;) {
      const found = parse(text, at);
      if (!found) break;
      at = found.end;
      this.#hear(found);
    }
    this.#text = text.slice(at);
  }

  #hear({ reply, failed }: Found): void {
    const next = this.#waiting.shift();
    const text = Array.isArray(reply) ? reply.join(' ') : String(reply);
    if (!next) this.onLine?.(text);
    else if (failed) next.reject(new Error(text));
    else next.resolve(text);
  }
}

interface Found {
  readonly reply: Reply;
  readonly end: number;
  readonly failed: boolean;
}

/** A command in RESP: any bytes, given as Latin-1. */
function encode(parts: readonly string[]): Buffer {
  const bulk = parts.map((part) => {
    const bytes = Buffer.byteLength(part);
    return `$${bytes}\r\n${part}\r\n`;
  });
  return Buffer.from(`*${parts.length}\r\n${bulk.join('')}`);
}

/** The reply that begins at `at`; null while it is not all there. */
function parse(text: string, at: number): Found | null {
  const eol = text.indexOf('\r\n', at);
  if (eol < 0) return null;
  const head = text.slice(at + 1, eol);
  const end = eol + 2;
  switch (text[at]) {
    case ':':
      return { reply: Number(head), end, failed: false };
    case '$': {
      const size = Number(head);
      if (size < 0) return { reply: null, end, failed: false };
      if (text.length < end + size + 2) return null;
      return { reply: text.slice(end, end + size), end: end + size + 2, failed: false };
    }
    case '*':
      return parseArray(text, end, Number(head));
    default:
      return { reply: head, end, failed: text[at] === '-' };
  }
}

function parseArray(text: string, from: number, count: number): Found | null {
  const items: Reply[] = [];
  let end = from;
  for (let i = 0; i < count; i++) {
    const item = parse(text, end);
    if (!item) return null;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end, failed: false };
}
