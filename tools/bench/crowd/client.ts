import { pathOf, type Speech, speechOf } from './dialects.ts';
import { Line } from './line.ts';
import type { ClientSpec, Dialect } from './orders.ts';

/** What a body begins with, so that a message is found in a frame of any shape; nine digits follow. */
const MARK = '~#';
const MARK_BYTES = Buffer.from(MARK);
const MARK_FIRST = MARK_BYTES[0];
const MARK_SECOND = MARK_BYTES[1];
const DIGITS = 9;
const ID_BYTES = Buffer.from('"id":"');
const QUOTE = 0x22;
const DASH = 0x2d;

/** Text of a message: its number, and words up to about a hundred bytes. */
export function bodyOf(seq: number): string {
  return `${MARK}${String(seq).padStart(DIGITS, '0')} a line of text that somebody might have typed, about a hundred bytes of it`;
}

interface ClientOptions {
  readonly spec: ClientSpec;
  readonly dialect: Dialect;
  /** Null: it only sends. */
  readonly channelId: string | null;
  onMessage(seq: number): void;
  onAnswer(seq: number, refusal: string): void;
  onOther(): void;
  /** Only when it was open and was not cut by ourselves. */
  onEnd(reason: string): void;
}

/** One connection of the crowd, and what it has seen of its channel. */
export class Client {
  readonly #options: ClientOptions;
  readonly #speech: Speech;
  #line: Line | undefined;
  #markAt = 0;
  #frameBytes = 0;
  #opened: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #lastN = 0;
  /** The position of the last message seen, where the system has positions. */
  lastEventId: string | null = null;
  /** Messages that did not follow the one before, by their positions. */
  disordered = 0;
  /** The first message's frame as it came. */
  sample = '';

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#speech = speechOf(options.dialect);
  }

  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** Connects and subscribes, behind what it has seen; resolves when the server says that it is subscribed. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      const { spec, channelId } = this.#options;
      const line: Line = new Line({
        port: spec.port,
        path: pathOf(this.#speech, channelId),
        onOpen: () => {
          for (const text of this.#speech.hello(spec, channelId, this.lastEventId)) line.send(text);
          if (this.#speech.openAtOnce) this.#onOpened();
        },
        onText: (bytes, start, end) => this.#onText(bytes, start, end),
        onEnd: (reason) => {
          if (this.#line === line) this.#onEnd(reason);
        },
      });
      this.#line = line;
    });
  }

  send(channelId: string, seq: number): void {
    this.#line?.send(this.#speech.send(channelId, seq, bodyOf(seq)));
  }

  /** Ends the connection without a word; nobody hears of it. */
  cut(): void {
    const line = this.#line;
    this.#line = undefined;
    line?.cut();
  }

  #onText(bytes: Buffer, start: number, end: number): void {
    const at = this.#findMark(bytes, start, end);
    if (at < 0) {
      this.#onWord(bytes.toString('utf8', start, end));
      return;
    }
    let seq = 0;
    for (let i = 2; i < 2 + DIGITS; i++) seq = seq * 10 + ((bytes[at + i] ?? 0) - 0x30);
    this.#frameBytes = end - start;
    if (this.sample === '') this.sample = bytes.toString('utf8', start, end);
    if (this.#options.dialect === 'trpc') this.#follow(bytes, start, end);
    this.#options.onMessage(seq);
  }

  /** Frames of one kind have the mark at the same place: look there first. */
  #findMark(bytes: Buffer, start: number, end: number): number {
    const guess = start + this.#markAt;
    if (guess < end && bytes[guess] === MARK_FIRST && bytes[guess + 1] === MARK_SECOND) return guess;
    const at = bytes.indexOf(MARK_BYTES, start);
    if (at < 0 || at >= end) return -1;
    this.#markAt = at - start;
    return at;
  }

  /** The event's id comes first in the envelope: `"id":"epoch-n"`, and n is dense where there is one. */
  #follow(bytes: Buffer, start: number, end: number): void {
    const from = bytes.indexOf(ID_BYTES, start) + ID_BYTES.length;
    let dash = 0;
    let to = from;
    let n = 0;
    for (; to < end && bytes[to] !== QUOTE; to++) {
      const byte = bytes[to] ?? 0;
      if (byte === DASH) {
        dash = to;
        n = 0;
      } else n = n * 10 + (byte - 0x30);
    }
    if (dash === 0) return;
    if (this.#lastN !== 0 && n !== this.#lastN + 1) this.disordered++;
    this.#lastN = n;
    this.lastEventId = bytes.toString('latin1', from, to);
  }

  #onWord(text: string): void {
    const word = this.#speech.read(text, this.#options.channelId);
    if (word.kind === 'reply') this.#line?.send(word.text);
    else if (word.kind === 'answer') this.#options.onAnswer(word.seq, word.refusal);
    else if (word.kind === 'open') this.#onOpened(text);
    else if (word.kind === 'failed') this.#onFailed(word.reason);
    else this.#options.onOther();
  }

  #onOpened(text = ''): void {
    this.lastEventId ??= /"id":"(\d+-\d+)"/.exec(text)?.[1] ?? null;
    this.#opened?.resolve();
    this.#opened = undefined;
  }

  /** Half a subscriber is none: it goes, and may come back. */
  #onFailed(reason: string): void {
    this.cut();
    this.#onEnd(reason);
  }

  #onEnd(reason: string): void {
    const opening = this.#opened;
    this.#opened = undefined;
    if (opening) opening.reject(new Error(`a connection ended before it was open: ${reason}`));
    else this.#options.onEnd(reason);
  }
}
