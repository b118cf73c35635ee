/** A message, as far as a client of events reads it. */
interface Message {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

type Listener = (event: Message | { readonly type: string }) => void;

/** What a browser waits before it asks again, unless the server says otherwise. */
const RETRY_MS = 1_000;

/**
 * The browsers' EventSource, by the letter where it matters here: after a lost connection it asks for the very same URL again and names
 * the last event in a header; any answer but 200 with events ends it for good.
 */
export class TestEventSource {
  /** All that were made, oldest first. */
  static readonly made: TestEventSource[] = [];
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 2;
  readonly url: string;
  readyState: number = this.CONNECTING;
  /** The status of each answer. */
  readonly statuses: number[] = [];
  readonly #headers: Record<string, string>;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #closing = new AbortController();
  #connection = new AbortController();
  #lastEventId = '';
  #retryMs = RETRY_MS;

  constructor(url: string, init: { headers?: Record<string, string> } = {}) {
    this.url = url;
    this.#headers = init.headers ?? {};
    TestEventSource.made.push(this);
    void this.#live();
  }

  addEventListener(type: string, listener: Listener): void {
    const known = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, known.add(listener));
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener);
  }

  close(): void {
    this.readyState = this.CLOSED;
    this.#closing.abort();
    this.#connection.abort();
  }

  /** The line goes dead. */
  cut(): void {
    this.#connection.abort();
  }

  async #live(): Promise<void> {
    while (this.readyState !== this.CLOSED) {
      const wasRefused = await this.#connect().catch(() => false);
      if (this.#closing.signal.aborted) return;
      this.readyState = wasRefused ? this.CLOSED : this.CONNECTING;
      this.#emit({ type: 'error' });
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs));
    }
  }

  /** True: the answer was none for an EventSource. */
  async #connect(): Promise<boolean> {
    this.#connection = new AbortController();
    if (this.#closing.signal.aborted) return false;
    const resume = this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
    const headers = { accept: 'text/event-stream', ...this.#headers, ...resume };
    const response = await fetch(this.url, { headers, signal: this.#connection.signal });
    this.statuses.push(response.status);
    const isEvents = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (response.status !== 200 || !isEvents || !response.body) return true;
    this.readyState = this.OPEN;
    this.#emit({ type: 'open' });
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split(/\n\n+/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
    return false;
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n').filter((each) => each !== '')) {
      const [name = '', ...value] = line.split(': ');
      fields.set(name, value.join(': '));
    }
    this.#lastEventId = fields.get('id') ?? this.#lastEventId;
    this.#retryMs = Number(fields.get('retry') ?? this.#retryMs);
    const data = fields.get('data');
    // A browser tells nobody of a block without data.
    if (data === undefined || this.readyState === this.CLOSED) return;
    this.#emit({ type: fields.get('event') ?? 'message', data, lastEventId: this.#lastEventId });
  }

  #emit(event: Message | { readonly type: string }): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
  }
}
