import { frameBytes, writeFrameHead } from './frame.ts';

/** Turns what is published into what JSON can say: a router's own way. */
export type Serialize = (value: unknown) => unknown;

/** The beginning of an answer to one request: everything before `,"result":…`. */
export class RequestHead {
  readonly text: string;
  readonly bytes: number;
  readonly #isAscii: boolean;

  /** Clients count their requests from 1, so that most of them share their heads. */
  static of(id: number | string, jsonrpc: '2.0' | undefined): RequestHead {
    if (typeof id !== 'number' || jsonrpc || !(id in SHARED)) return new RequestHead(id, jsonrpc);
    SHARED[id] ??= new RequestHead(id, jsonrpc);
    return SHARED[id];
  }

  constructor(id: number | string, jsonrpc: '2.0' | undefined) {
    this.text = `{"id":${JSON.stringify(id)}${jsonrpc ? ',"jsonrpc":"2.0"' : ''}`;
    this.bytes = Buffer.byteLength(this.text);
    this.#isAscii = this.bytes === this.text.length;
  }

  /** Writes it, and gives where it ends. */
  write(into: Buffer, offset: number): number {
    const { text } = this;
    if (!this.#isAscii) return offset + into.write(text, offset);
    // A dozen characters: cheaper one by one than by a call that leaves JavaScript.
    for (let i = 0; i < text.length; i++) into[offset + i] = text.charCodeAt(i);
    return offset + text.length;
  }
}

/**
 * One event of a pushed feed, with the id by which a client resumes. It is encoded once, however many sockets it goes to; what they get
 * differs only in the id of the request that it answers.
 */
export class Publication {
  readonly id: string;
  /** Not to be changed any more. */
  readonly data: unknown;
  #serialize: Serialize | null = null;
  #tail: Buffer = NOTHING;

  constructor(id: string, data: unknown) {
    this.id = id;
    this.data = data;
  }

  /** Encodes it, unless that was done; gives how long its frame to one request is. */
  bytesFor(head: RequestHead, serialize: Serialize): number {
    if (serialize !== this.#serialize) this.#encode(serialize);
    return frameBytes(head.bytes + this.#tail.length);
  }

  /** Writes its frame, as tRPC says a tracked event to one request, and gives where that ends. It has been encoded. */
  write(head: RequestHead, into: Buffer, offset: number): number {
    const tailAt = head.write(into, writeFrameHead(into, offset, head.bytes + this.#tail.length));
    into.set(this.#tail, tailAt);
    return tailAt + this.#tail.length;
  }

  #encode(serialize: Serialize): void {
    const { id } = this;
    const data = JSON.stringify(serialize({ id, data: this.data }));
    this.#tail = Buffer.from(`,"result":{"type":"data","data":${data},"id":${JSON.stringify(id)}}}`);
    this.#serialize = serialize;
  }
}

const NOTHING = Buffer.alloc(0);
const SHARED: (RequestHead | null)[] = new Array(256).fill(null);
